import type { Duplex, Readable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { addUse, draftEntry } from './audit.ts';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { parseCoding, reduceAcceptEncoding } from './coding.ts';
import { refuse, type Exchange, type ProxyContext } from './exchange.ts';
import { forward, type Forwarding } from './forward.ts';
import { forwardableRequestHeaders, headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import { otherReadings } from './other-readings.ts';
import { createRequestBody } from './request-body.ts';
import type { Refusal } from './refusal.ts';
import { parseTarget } from './target.ts';
import { findHandshakeProblem } from './websocket-handshake.ts';
import { openWebSocket } from './websocket.ts';

export type RequestOptions = {
  destination: Destination;
  context: ProxyContext;
  /** the client waits for `100 Continue` before it sends the body */
  expectsContinue: boolean;
  /** the client's connection, where it asks to go on with WebSocket on it */
  webSocket?: Duplex;
};

/** Judges one request and, if nothing speaks against it, forwards it. Every request of a kept-alive connection passes here. */
export function handleRequest(request: ClientRequest, answer: ClientAnswer, options: RequestOptions): void {
  const { destination, context } = options;
  const { secrets, policy } = context;
  const { method } = request;
  const draft = draftEntry({ protocol: destination.scheme, host: destination.host, port: destination.port });
  draft.method = method;
  const exchange: Exchange = { request, answer, destination, draft, context };
  answer.stream.once('close', () => context.audit.record(draft));

  const target = parseTarget(request, destination);
  if (!target.ok) return refuse(exchange, target.refusal);
  draft.path = secrets.list.length === 0 ? target.path : secrets.redact(target.path);

  const unsupported = options.webSocket ? findHandshakeProblem(request) : findUnsupported(request);
  if (unsupported !== null) return refuse(exchange, unsupported);

  const verdict = policy.decide({ ...destination, method, path: target.path });
  if (!verdict.allowed) return refuse(exchange, { status: 403, decision: 'blocked', reason: verdict.reason, remedy: verdict.remedy });
  draft.rule = verdict.rule;
  const readings = otherReadings(request, { method, path: target.path });
  for (const reading of readings) {
    const other = policy.decide({ ...destination, ...reading });
    if (!other.allowed) return refuse(exchange, { status: 403, decision: 'blocked', reason: other.reason, remedy: `A header of the request makes it another one. ${other.remedy}` });
  }

  const carriesNoSecret = readings.find((reading) => reading.method === 'TRACE' || reading.method === 'TRACK');
  const substitution = secrets.substituteRequest({ method: carriesNoSecret?.method ?? method, url: target.url, rawHeaders: request.rawHeaders, destination });
  if (!substitution.ok) return refuse(exchange, { status: 403, decision: 'blocked', ...pickRefusal(substitution) });
  for (const { name, substitutions } of substitution.uses) addUse(draft, name, { substitutions });

  const headers = prepareHeaders(substitution.rawHeaders, { host: target.host, isScrubbed: secrets.hasBoundSecret(destination.host) });
  if (options.webSocket) return openWebSocket(exchange, { url: target.url, headers, socket: options.webSocket });
  const coding = request.hasBody ? parseCoding(headerValue(headers, 'content-encoding')) : null;
  if (coding === 'unknown' && secrets.list.length > 0) return refuse(exchange, unscannable);

  if (options.expectsContinue) answer.writeContinue();
  let forwarding: Forwarding | null = null;
  const body = request.hasBody ? openBody(exchange, { coding, onRefusal: () => forwarding?.abort() }) : null;
  forwarding = forward(exchange, { method, path: target.url, headers, body });
}

/** Refused before the policy is asked: what this proxy cannot judge it does not pass. */
function findUnsupported(request: ClientRequest): Refusal | null {
  const { 'transfer-encoding': transferEncoding } = request.headers;
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') {
    return { status: 501, decision: 'blocked', reason: 'bad-request', remedy: 'Send the body with Content-Length or with "Transfer-Encoding: chunked" alone.' };
  }
  return null;
}

function prepareHeaders(rawHeaders: RawHeaders, { host, isScrubbed }: { host: string; isScrubbed: boolean }): string[] {
  const headers = forwardableRequestHeaders(rawHeaders);
  if (!isScrubbed) return ['Host', host, ...headers];
  // A part of a body could begin or end within a secret, and a coding that cannot be undone would hide one.
  const acceptEncoding = reduceAcceptEncoding(headerValue(headers, 'accept-encoding'));
  return ['Host', host, ...withoutHeaders(headers, notWhereScrubbed), 'Accept-Encoding', acceptEncoding];
}

const notWhereScrubbed: ReadonlySet<string> = new Set(['range', 'if-range', 'accept-encoding']);

function openBody(exchange: Exchange, { coding, onRefusal }: { coding: string | null; onRefusal(): void }): Readable {
  const { request, draft, destination, context: { secrets } } = exchange;
  const isScanned = secrets.list.length > 0;
  return createRequestBody(request, {
    scanner: isScanned ? secrets.createOutgoingScanner(destination) : null,
    decoded: isScanned && coding !== null ? { coding, scanner: secrets.createOutgoingScanner(destination) } : null,
    onBytes: (count) => {
      draft.requestBytes += count;
    },
    onRefusal: (refusal) => {
      // The upstream request first: nothing of the body may follow.
      onRefusal();
      refuse(exchange, 'secret' in refusal ? { status: 403, decision: 'blocked', ...pickRefusal(refusal) } : unscannable);
    },
  });
}

function pickRefusal({ reason, secret, place, remedy }: Pick<Required<Refusal>, 'reason' | 'secret' | 'place' | 'remedy'>) {
  return { reason, secret, place, remedy };
}

const unscannable: Refusal = {
  status: 403, decision: 'blocked', reason: 'unscannable-body',
  remedy: 'Send the body without a Content-Encoding, or with a valid gzip, deflate or br one, so that it can be searched for secrets.',
};
