/** Counts requests in a window of a minute that ends now. */
export type RateLimit = {
  requestsPerMinute: number | null;
  /** Counts one if there is room: null, or the seconds until there is. */
  take(): number | null;
};

/** @param now a clock that never goes back, in milliseconds */
export function createRateLimit(requestsPerMinute: number | null, now: () => number = () => performance.now()): RateLimit {
  if (requestsPerMinute === null) return { requestsPerMinute, take: () => null };
  // A ring of the last ones: the next is allowed when the oldest of them is a minute ago, so no minute ever has more.
  const times = new Float64Array(requestsPerMinute).fill(-Infinity);
  let next = 0;
  return {
    requestsPerMinute,
    take() {
      const time = now();
      const waitMs = times[next]! + minuteMs - time;
      if (waitMs > 0) return Math.ceil(waitMs / 1000);
      times[next] = time;
      next = (next + 1) % requestsPerMinute;
      return null;
    },
  };
}

const minuteMs = 60_000;
