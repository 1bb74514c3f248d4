import type { RateLimit } from './rate-limit.ts';
import type { Refusal } from './refusal.ts';

/** Of a refusal by what secrets are: what the client is told. */
export function pickRefusal({ reason, secret, place, remedy }: Pick<Required<Refusal>, 'reason' | 'secret' | 'place' | 'remedy'>) {
  return { reason, secret, place, remedy };
}

/** The same as the answer to a request that is blocked for it. */
export function secretBlocked(found: Parameters<typeof pickRefusal>[0]): Refusal {
  return { status: 403, decision: 'blocked', ...pickRefusal(found) };
}

export const tooManyReadings: Refusal = {
  status: 400, decision: 'blocked', reason: 'bad-request',
  remedy: 'Send one method or path in headers such as X-HTTP-Method-Override and X-Original-URL, not many.',
};

export const unscannable: Refusal = {
  status: 403, decision: 'blocked', reason: 'unscannable-body',
  remedy: 'Send the body without a Content-Encoding, or with a valid gzip, deflate, br, zstd or aws-chunked one, so that it can be searched for secrets.',
};

export const notCodedAgain: Refusal = {
  status: 403, decision: 'blocked', reason: 'unscannable-body',
  remedy: 'Secrets are pinned to the body, which must be coded anew: send it without a Content-Encoding, or with gzip, deflate or br alone.',
};

export const otherLengthMessages: Refusal = {
  status: 403, decision: 'blocked', reason: 'unreadable-body',
  remedy: 'gRPC and Connect messages say their length, and a secret pinned to "body" has another one than its placeholder: pin it to a header instead.',
};

export const notSigned: Refusal = {
  status: 403, decision: 'blocked', reason: 'signature-not-swapped',
  remedy: 'The signature could not be made again: send the request with fewer and shorter headers.',
};

export const signedAndPinned: Refusal = {
  status: 403, decision: 'blocked', reason: 'signature-not-swapped',
  remedy: 'A secret is pinned to the body, and a signature covers the bytes of the body: bind secrets of the one kind and of the other to different hosts.',
};

export function tooManyAMinute({ requestsPerMinute }: RateLimit): Refusal {
  return {
    status: 429, decision: 'blocked', reason: 'capacity',
    remedy: `Send at most ${requestsPerMinute} requests a minute, or raise requests-per-minute in proxy-limits.`,
  };
}
