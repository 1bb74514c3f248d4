import type { Pattern } from './anchor-words.ts';

/** Which needles may begin at a place. */
export type NeedleHeads<P extends Pattern> = {
  /** Those that may be there whole; longest first. */
  wholeAt(text: Uint8Array, start: number): readonly P[];
  /** Those that may begin with all that is left of the text; longest first. */
  beginningAt(text: Uint8Array, start: number): readonly P[];
  hasFirst(byte: number): boolean;
};

/**
 * Groups needles, longest first, by their first bytes: hundreds begin with `\u00`, few with the same eight bytes. Letters are
 * compared without their case here, as some needles may be written in either; the caller compares exactly.
 */
export function indexHeads<P extends Pattern>(needles: readonly P[]): NeedleHeads<P> {
  const shortest = needles.at(-1)!.bytes.length;
  const lengths = HEAD_BYTES.filter((length) => length <= shortest);
  const headBytes = lengths[0]!;
  const byHead = new Map<number, P[]>();
  /** what needles begin with */
  const pairs = new Uint8Array(1 << 16);
  const firsts = new Uint8Array(1 << 8);
  for (const needle of needles) {
    const { bytes, orBytes = bytes } = needle;
    for (const length of lengths) addTo(byHead, headKey(bytes, 0, length), needle);
    for (const first of [bytes[0]!, orBytes[0]!]) {
      for (const second of [bytes[1]!, orBytes[1]!]) pairs[(first << 8) | second] = 1;
    }
    firsts[bytes[0]!] = firsts[orBytes[0]!] = 1;
  }

  const lookUp = (text: Uint8Array, start: number, length: number): readonly P[] => {
    if (start + 2 > text.length || pairs[(text[start]! << 8) | text[start + 1]!] === 0) return NONE;
    return byHead.get(headKey(text, start, length)) ?? NONE;
  };
  return {
    wholeAt: (text, start) => (start + headBytes > text.length ? NONE : lookUp(text, start, headBytes)),
    // By fewer bytes than there are, so that the last one is compared by whoever takes as long for all.
    beginningAt: (text, start) => lookUp(text, start, lengths.find((length) => length < text.length - start) ?? 2),
    hasFirst: (byte) => firsts[byte] !== 0,
  };
}

const HEAD_BYTES: readonly number[] = [8, 4, 2];
const NONE: readonly never[] = [];

/** FNV-1a of the bytes without their letters' case, and of how many they are. */
function headKey(bytes: Uint8Array, start: number, length: number): number {
  let key = 0x811c9dc5 ^ length;
  for (let at = start; at < start + length; at += 1) key = Math.imul(key ^ LOWER_CASE[bytes[at]!]!, 0x01000193);
  return key;
}

const LOWER_CASE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

function addTo<T>(groups: Map<number, T[]>, key: number, member: T): void {
  const members = groups.get(key);
  if (members) members.push(member);
  else groups.set(key, [member]);
}
