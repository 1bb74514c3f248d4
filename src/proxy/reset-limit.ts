/**
 * Bounds how often streams of one session may end without a whole answer: a client that opens and resets them makes work at no
 * cost of its own (CVE-2023-44487). Node 20 leaves that to nghttp2, which stops reading and says nothing.
 */
export type ResetLimit = {
  /** Counts one at `nowMs`; false when it is one too many. */
  allow(nowMs: number): boolean;
};

export function createResetLimit(): ResetLimit {
  let left = burst;
  let atMs = 0;
  return {
    allow(nowMs) {
      if (atMs !== 0) left = Math.min(burst, left + ((nowMs - atMs) / 1_000) * perSecond);
      atMs = nowMs;
      left -= 1;
      return left >= 0;
    },
  };
}

/** All streams of a session, cancelled five times over at once; and what a program that gives up on slow answers may do for long. */
const burst = 500;
const perSecond = 20;
