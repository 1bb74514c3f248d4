import { createHash, randomBytes } from 'node:crypto';
import type { ClientRequest } from './client.ts';
import { headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';

/** Whether a client wants to go on with WebSocket. Any other Upgrade is an offer that a server may ignore (RFC 9110, 7.8). */
export function asksForWebSocket(upgrade: string | undefined): boolean {
  return upgrade !== undefined && /(?:^|,)\s*websocket\s*(?:,|$)/i.test(upgrade);
}

/** RFC 6455, section 4.2.1. */
export function findHandshakeProblem({ method, version, headers, hasBody }: ClientRequest): Refusal | null {
  const isRight = method === 'GET' && version === '1.1' && !hasBody
    && headers['sec-websocket-version'] === '13' && /^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '');
  return isRight ? null : {
    status: 400, decision: 'blocked', reason: 'bad-request',
    remedy: 'Open a WebSocket by a GET request of HTTP/1.1 without a body, with "Sec-WebSocket-Version: 13" and a key of 16 bytes (RFC 6455).',
  };
}

/** What one WebSocket handshake with an upstream needs: each hop has a key of its own. */
export type UpstreamHandshake = { headers: string[]; key: string };

/**
 * The request's headers as they go upstream. Where messages are read, of the extensions only compression is offered, as Decoy could not
 * read messages changed by another one.
 */
export function prepareHandshake(headers: RawHeaders, { isRaw }: { isRaw: boolean }): UpstreamHandshake {
  const key = randomBytes(16).toString('base64');
  const offers = isRaw ? null : headerValue(headers, 'sec-websocket-extensions');
  const kept = withoutHeaders(headers, isRaw ? keyOnly : keyAndExtensions);
  const compression = offers !== null && offersCompression(offers) ? ['Sec-WebSocket-Extensions', compressionOffer] : [];
  return { key, headers: [...kept, 'Sec-WebSocket-Key', key, ...compression] };
}

/** Whether an answer 101 is the one to a handshake with this key (RFC 6455, section 4.1). */
export function isWebSocketAnswer(rawHeaders: RawHeaders, key: string): boolean {
  return headerValue(rawHeaders, 'upgrade')?.toLowerCase() === 'websocket' && headerValue(rawHeaders, 'sec-websocket-accept') === acceptOf(key);
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

export type SwitchingOptions = {
  /** of the client's request */
  key: string;
  /** of the upstream's answer, scrubbed */
  rawHeaders: RawHeaders;
  /** what was agreed with the client; null passes on what the upstream said */
  extensions: string | null;
};

/** The answer that ends HTTP on the client's connection. */
export function renderSwitching({ key, rawHeaders, extensions }: SwitchingOptions): Buffer {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptOf(key)}`];
  if (extensions) lines.push(`Sec-WebSocket-Extensions: ${extensions}`);
  const kept = withoutHeaders(rawHeaders, extensions === null ? acceptOnly : acceptAndExtensions);
  for (let i = 0; i < kept.length; i += 2) lines.push(`${kept[i]}: ${kept[i + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** What browsers offer (RFC 7692, section 7.1): servers refuse the whole handshake for parameters they do not want. */
const compressionOffer = 'permessage-deflate; client_max_window_bits';

const keyOnly: ReadonlySet<string> = new Set(['sec-websocket-key']);
const keyAndExtensions: ReadonlySet<string> = new Set(['sec-websocket-key', 'sec-websocket-extensions']);
const acceptOnly: ReadonlySet<string> = new Set(['sec-websocket-accept']);
const acceptAndExtensions: ReadonlySet<string> = new Set(['sec-websocket-accept', 'sec-websocket-extensions']);

function offersCompression(offers: string): boolean {
  return /(?:^|,)\s*permessage-deflate\s*(?:[;,]|$)/i.test(offers);
}
