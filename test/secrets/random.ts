/** A seeded generator (mulberry32), so that a failing property names a case that can be run again. */
export type Random = { below(limit: number): number; bytes(length: number): Buffer; cut(body: Buffer, longest: number): Buffer[] };

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
    cut(body, longest) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < body.length; ) {
        const next = Math.min(body.length, at + 1 + below(longest));
        chunks.push(body.subarray(at, next));
        at = next;
      }
      return chunks;
    },
  };
}
