import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusal.ts';
import { isAboutBodyButUnderscored } from './underscored.ts';

/**
 * What Node's parser lets through although another reader could understand it differently, or null. Such a request is refused before
 * anything else is asked, and the connection ends with the answer: where this request ends is what readers may disagree on.
 */
export function findHttp1Problem(request: IncomingMessage): Refusal | null {
  const { headers, httpVersion, method } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refused(505, 'Send HTTP/1.1 or HTTP/1.0.');
  if (request.rawHeaders.length > 2 * MAX_HEADERS) return refused(431, `Send at most ${MAX_HEADERS} headers.`);
  const transferEncoding = headers['transfer-encoding'];
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked') {
    return refused(501, 'Send the body with Content-Length or with "Transfer-Encoding: chunked" alone.');
  }
  // RFC 9112, 6.1: such a message is to be treated as if its framing were faulty.
  if (transferEncoding !== undefined && httpVersion === '1.0') return refused(400, 'Send the body with Content-Length: HTTP/1.0 has no Transfer-Encoding.');
  const lengthBytes = Number(headers['content-length'] ?? 0);
  // It is written anew from a number, and beyond this it would come out as another one.
  if (lengthBytes > Number.MAX_SAFE_INTEGER) return refused(400, `Send a Content-Length of at most ${Number.MAX_SAFE_INTEGER}.`);
  if (Object.keys(headers).some(isAboutBodyButUnderscored)) return refused(400, 'Write Content-Length, Content-Encoding and the like with a hyphen.');
  // RFC 9110, 9.3.8: a client must not send one, and servers that do not expect one take it for the next request.
  if (method === 'TRACE' && (transferEncoding !== undefined || lengthBytes > 0)) return refused(400, 'Send TRACE without a body.');
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') return refused(417, 'Send no other Expect than "100-continue".');
  return null;
}

/** More than any client sends. Common servers take 100 to 2000 and drop or refuse the rest. */
export const MAX_HEADERS = 1_000;

function refused(status: number, remedy: string): Refusal {
  return { status, decision: 'blocked', reason: 'bad-request', remedy, endsConnection: true };
}
