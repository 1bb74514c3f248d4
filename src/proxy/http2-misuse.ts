import type { ClientRequest } from './client.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import { connectionSpecific } from './http2-headers.ts';
import type { Refusal } from './refusal.ts';

/**
 * Why an HTTP/2 request is not one this proxy understands, or null. Most of what is malformed never gets here: nghttp2 resets
 * the stream, or drops the header. What does is refused, as a translation to HTTP/1.1 could turn it into another request.
 */
export function findHttp2Misuse({ method, rawHeaders }: Pick<ClientRequest, 'method' | 'rawHeaders'>): Refusal | null {
  if (method === 'CONNECT') return unsupportedConnect;
  const te = headerValue(rawHeaders, 'te');
  if (te !== null && te.toLowerCase() !== 'trailers') return malformed('Send no other TE header over HTTP/2 than "trailers".');
  return findMalformed(rawHeaders);
}

export const unsupportedConnect: Refusal = {
  status: 501, decision: 'blocked', reason: 'unsupported-protocol',
  remedy: 'CONNECT is not needed: connect to the destination itself, Decoy is on the way.',
};

function findMalformed(rawHeaders: RawHeaders): Refusal | null {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (connectionSpecific.has(rawHeaders[i]!)) return malformed('Send no connection-specific headers over HTTP/2.');
    // RFC 9113, 8.2.1.
    if (/[\0\r\n]|^[ \t]|[ \t]$/.test(rawHeaders[i + 1]!)) return malformed('Send header values without line breaks, NUL and white space around them.');
  }
  return null;
}

function malformed(remedy: string): Refusal {
  return { status: 400, decision: 'blocked', reason: 'bad-request', remedy };
}
