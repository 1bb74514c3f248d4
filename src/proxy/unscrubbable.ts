import { parseCoding } from './coding.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import { hasCodedMessages } from './message-framing.ts';
import type { Refusal } from './refusal.ts';
import type { AnswerProblem } from './scrub-messages.ts';

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
  return hasCodedMessages(rawHeaders) ? refuseProblem({ kind: 'compressed' }, host) : null;
}

/** Why the rest of an answer's messages is not passed on. */
export function refuseProblem(problem: AnswerProblem, host: string): Refusal {
  if ('secret' in problem) {
    const { kind, secret } = problem;
    const how = kind === 'torn' ? 'in pieces, in several messages,' : 'as the very text of an answer in base64,';
    return {
      status: 502, decision: 'blocked', reason: 'real-secret-arriving', secret, place: 'messages',
      remedy: `"${host}" sent the real value of secret "${secret}" ${how} so that it could not be replaced.`,
    };
  }
  return { status: 502, decision: 'failed', reason: 'unscannable-body', remedy: `"${host}" answered with ${unreadable[problem.kind]}.` };
}

const unreadable: Readonly<Record<Exclude<AnswerProblem, { secret: string }>['kind'], string>> = {
  compressed: 'compressed messages, which cannot be scrubbed of secrets, although "identity" was asked for',
  malformed: 'messages that are not as its Content-Type says, with flags and a length before each, so that they cannot be scrubbed of secrets',
  'not-base64': 'application/grpc-web-text that is no base64, so that it cannot be scrubbed of secrets',
};

/**
 * Partial Content (RFC 9110, 15.3.7), IM Used (RFC 3229: a difference to an older body, or a range), and whatever says which part it is:
 * with parts of its own choosing a sandbox would put a secret together. The Content-Range of a 416 tells the unscrubbed length.
 */
function isPart(status: number, rawHeaders: RawHeaders): boolean {
  return status === 206 || status === 226 || headerValue(rawHeaders, 'content-range') !== null;
}
