import { parseCoding } from './coding.ts';
import { hasCodedMessages, isGrpc } from './grpc.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';

/** Why an answer of a host with a bound secret cannot be scrubbed, as its head tells; null where it can. */
export function findUnscrubbable({ status, rawHeaders }: { status: number; rawHeaders: RawHeaders }, host: string): Refusal | null {
  if (isPart(status, rawHeaders)) {
    return {
      status: 502, decision: 'failed', reason: 'unasked-part',
      remedy: `"${host}" answered with a part, which may begin or end within a secret, although the whole was asked for: ask it for the whole in the URL, too.`,
    };
  }
  if (parseCoding(headerValue(rawHeaders, 'content-encoding')) === 'unknown') {
    return {
      status: 502, decision: 'failed', reason: 'unscannable-body',
      remedy: `"${host}" answered in a content coding that cannot be scrubbed of secrets; ask for gzip, deflate, br, zstd or none.`,
    };
  }
  if (isGrpc(rawHeaders) && hasCodedMessages(rawHeaders)) {
    return {
      status: 502, decision: 'failed', reason: 'unscannable-body',
      remedy: `"${host}" answered with compressed gRPC messages, which cannot be scrubbed of secrets, although "identity" was asked for.`,
    };
  }
  return null;
}

/**
 * Partial Content (RFC 9110, 15.3.7), IM Used (RFC 3229: a difference to an older body, or a range), and whatever says which part it is:
 * with parts of its own choosing a sandbox would put a secret together. The Content-Range of a 416 tells the unscrubbed length.
 */
function isPart(status: number, rawHeaders: RawHeaders): boolean {
  return status === 206 || status === 226 || headerValue(rawHeaders, 'content-range') !== null;
}
