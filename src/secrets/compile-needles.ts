/** Bytes to look for and what they mean to the caller. At least 4 bytes. */
export type Needle<Tag> = { bytes: Uint8Array; tag: Tag };

export type Hit<Tag> = { tag: Tag; start: number; end: number };

export type Needles<Tag> = {
  /** The leftmost hit at or after `from`; of several at one place the longest, of equal ones the first given. */
  find(text: Uint8Array, from: number): Hit<Tag> | null;
  /** Where the earliest tail begins that is a proper prefix of some needle; `text.length` where there is none. */
  tailStart(text: Uint8Array, from: number): number;
};

/**
 * Compiles needles for Wu-Manber search: a window as wide as the shortest needle moves over the text, and a table
 * indexed by the window's last three bytes tells how far it may jump. Twenty secrets are some 500 needles; a RegExp of
 * as many alternatives tries each wherever a first character fits, here their number hardly matters
 * (bench/scanner.ts measures both).
 */
export function compileNeedles<Tag>(given: readonly Needle<Tag>[]): Needles<Tag> {
  const needles = longestFirst(given);
  if (needles.length === 0) return { find: () => null, tailStart: (text) => text.length };
  const longest = needles[0]!.bytes.length;
  const shortest = needles.at(-1)!.bytes.length;
  if (shortest < MIN_NEEDLE_BYTES) {
    throw new RangeError(`a needle of ${shortest} bytes would match everywhere; the least is ${MIN_NEEDLE_BYTES}`);
  }
  const window = Math.min(shortest, MAX_WINDOW_BYTES);
  const shifts = shiftTable(needles, window);
  const byWindow = group(needles, ({ bytes }) => hashOf(bytes, 0, window));
  const byPair = group(needles, ({ bytes }) => pair(bytes, 0));
  const firstBytes = new Set(needles.map(({ bytes }) => bytes[0]!));
  const pairs = new Uint8Array(1 << 16);
  for (const key of byPair.keys()) pairs[key] = 1;

  return {
    find(text, from) {
      const end = text.length;
      let last = from + window - 1;
      while (last < end) {
        const shift = shifts[block(text, last)]!;
        if (shift !== 0) {
          last += shift;
          continue;
        }
        const start = last - window + 1;
        last += 1;
        const candidates = byWindow.get(hashOf(text, start, last));
        if (candidates === undefined) continue;
        for (const { bytes, tag } of candidates) {
          const stop = start + bytes.length;
          if (stop <= end && agree(text, start, stop, bytes)) return { tag, start, end: stop };
        }
      }
      return null;
    },
    tailStart(text, from) {
      const end = text.length;
      for (let start = Math.max(from, end - longest + 1); start < end - 1; start += 1) {
        const key = pair(text, start);
        if (pairs[key] === 0) continue;
        for (const { bytes } of byPair.get(key)!) {
          if (bytes.length <= end - start) break; // longest first: the rest are shorter still
          if (agree(text, start, end, bytes)) return start;
        }
      }
      return from < end && firstBytes.has(text[end - 1]!) ? end - 1 : end;
    },
  };
}

/** A block has three bytes; anything this short is no secret in any encoding. */
const MIN_NEEDLE_BYTES = 4;

/** 64 kB a table. With 18 bits jumps are a little longer, but on most bodies the cache misses cost more. */
const BLOCK_BITS = 16;

/** Wider windows jump further but fill the table with more blocks. */
const MAX_WINDOW_BYTES = 24;

function longestFirst<Tag>(given: readonly Needle<Tag>[]): Needle<Tag>[] {
  const distinct = new Map<string, Needle<Tag>>();
  for (const needle of given) {
    const key = Buffer.from(needle.bytes).toString('latin1');
    if (!distinct.has(key)) distinct.set(key, needle);
  }
  return [...distinct.values()].sort((a, b) => b.bytes.length - a.bytes.length);
}

/** How far the window may jump when it ends in a given block: nothing where some needle's first `window` bytes end so. */
function shiftTable(needles: readonly Needle<unknown>[], window: number): Uint8Array {
  const shifts = new Uint8Array(1 << BLOCK_BITS).fill(window - 2);
  for (const { bytes } of needles) {
    for (let last = 2; last < window; last += 1) {
      const key = block(bytes, last);
      shifts[key] = Math.min(shifts[key]!, window - 1 - last);
    }
  }
  return shifts;
}

function group<Tag>(needles: readonly Needle<Tag>[], keyOf: (needle: Needle<Tag>) => number): Map<number, Needle<Tag>[]> {
  const groups = new Map<number, Needle<Tag>[]>();
  for (const needle of needles) {
    const members = groups.get(keyOf(needle));
    if (members) members.push(needle);
    else groups.set(keyOf(needle), [needle]);
  }
  return groups;
}

/** A hash of the three bytes that end at `last`, in BLOCK_BITS bits. */
function block(bytes: Uint8Array, last: number): number {
  return (bytes[last - 2]! << 8) ^ (bytes[last - 1]! << 4) ^ bytes[last]!;
}

/** FNV-1a. Half of all needles may end their window in one block (`\u00` escapes do): this tells them apart at once. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

function pair(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function agree(text: Uint8Array, start: number, end: number, needle: Uint8Array): boolean {
  for (let at = start; at < end; at += 1) if (text[at] !== needle[at - start]) return false;
  return true;
}
