import { constants, type Http2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { RawHeaders } from './headers.ts';

/**
 * What Node received, as a list without pseudo-headers. Cookies, which HTTP/2 may cut into several headers, are one again
 * (RFC 9113, 8.2.3), so that what is searched for secrets is what a server puts together.
 */
export function fromHttp2Headers(rawHeaders: RawHeaders): string[] {
  const list: string[] = [];
  let cookieAt = -1;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.startsWith(':')) continue;
    if (name === 'cookie' && cookieAt !== -1) {
      list[cookieAt] += `; ${rawHeaders[i + 1]!}`;
      continue;
    }
    if (name === 'cookie') cookieAt = list.length + 1;
    list.push(name, rawHeaders[i + 1]!);
  }
  return list;
}

/** The form Node sends. It has one place for each name: of headers that may stand once only, the first one counts. */
export function toHttp2Headers(rawHeaders: RawHeaders): OutgoingHttpHeaders {
  const headers = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    // Node joins headers by NUL bytes: one inside a value would begin another header.
    if (connectionSpecific.has(name) || name.startsWith(':') || /[\0\r\n]/.test(value)) continue;
    const values = headers[name];
    if (values === undefined) headers[name] = [value];
    else if (!standsOnce.has(name)) values.push(value);
  }
  return headers;
}

/** What Node refuses to send, it throws for; in a listener of a stream that would end the process. Such trailers end the stream alone. */
export function sendTrailers(stream: Http2Stream, trailers: RawHeaders): void {
  if (stream.destroyed || stream.closed) return;
  try {
    stream.sendTrailers(toHttp2Headers(trailers));
  } catch {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

/** Not to be sent over HTTP/2 (RFC 9113, 8.2.2), nor to be accepted from there. */
export const connectionSpecific: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings',
]);

/** Of these Node sends no second one. */
const standsOnce: ReadonlySet<string> = new Set([
  'access-control-allow-credentials', 'access-control-max-age', 'access-control-request-method', 'age', 'authorization',
  'content-encoding', 'content-language', 'content-length', 'content-location', 'content-md5', 'content-range', 'content-type', 'date', 'dnt',
  'etag', 'expires', 'from', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified',
  'location', 'max-forwards', 'proxy-authorization', 'range', 'referer', 'retry-after', 'te', 'tk', 'upgrade-insecure-requests', 'user-agent',
  'x-content-type-options',
]);
