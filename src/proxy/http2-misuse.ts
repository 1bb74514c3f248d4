import { METHODS } from 'node:http';
import type { ClientRequest } from './client.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import { connectionSpecific } from './http2-headers.ts';
import type { Refusal } from './refusal.ts';
import { isAboutBodyButUnderscored } from './underscored.ts';

/**
 * Why an HTTP/2 request is not one this proxy understands, or null. Most of what is malformed never gets here: nghttp2 resets
 * the stream, or drops the header. What does is refused, as a translation to HTTP/1.1 could turn it into another request.
 */
export function findHttp2Misuse({ method, hasBody, rawHeaders }: Pick<ClientRequest, 'method' | 'hasBody' | 'rawHeaders'>): Refusal | null {
  if (method === 'CONNECT') return unsupportedConnect;
  // Node's HTTP/1.1 reads no other; "trace" would be none of those that carry no secret, and be one to some servers.
  if (!KNOWN_METHODS.has(method)) return malformed('Send a method of HTTP/1.1, in capital letters.');
  // Over HTTP/1.1, which the request may go on over, it would be the next request to some servers.
  if (method === 'TRACE' && hasBody) return malformed('Send TRACE without a body.');
  const expect = headerValue(rawHeaders, 'expect');
  if (expect !== null && expect.toLowerCase() !== '100-continue') return { ...malformed('Send no other Expect than "100-continue".'), status: 417 };
  const te = headerValue(rawHeaders, 'te');
  if (te !== null && te.toLowerCase() !== 'trailers') return malformed('Send no other TE header over HTTP/2 than "trailers".');
  return findMalformed(rawHeaders);
}

const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

export const unsupportedConnect: Refusal = {
  status: 501, decision: 'blocked', reason: 'unsupported-protocol',
  remedy: 'CONNECT is not needed: connect to the destination itself, Decoy is on the way.',
};

function findMalformed(rawHeaders: RawHeaders): Refusal | null {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (connectionSpecific.has(rawHeaders[i]!)) return malformed('Send no connection-specific headers over HTTP/2.');
    if (isAboutBodyButUnderscored(rawHeaders[i]!)) return malformed('Write Content-Length, Content-Encoding and the like with a hyphen, and send no Transfer-Encoding over HTTP/2.');
    // RFC 9113, 8.2.1.
    if (/[\0\r\n]|^[ \t]|[ \t]$/.test(rawHeaders[i + 1]!)) return malformed('Send header values without line breaks, NUL and white space around them.');
  }
  return null;
}

function malformed(remedy: string): Refusal {
  return { status: 400, decision: 'blocked', reason: 'bad-request', remedy };
}
