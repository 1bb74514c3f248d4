/** Bytes of which each may also be the one in `orBytes` at its place: hexadecimal digits in either case. */
export type Pattern = { bytes: Uint8Array; orBytes?: Uint8Array };

/** A word of a needle, by which the needle is recognised, and where it stands in it. */
export type Anchor<P extends Pattern> = { word: number; needle: P; offset: number };

export const WORD_BYTES = 4;

/**
 * The words to look for so that a search that looks at every `stride`th place of a text misses no needle: for each remainder
 * of its offset by the stride one word of every needle, the one that ordinary text is least likely to hold. Needs needles of
 * at least `stride + 3` bytes.
 */
export function anchorWords<P extends Pattern>(needles: readonly P[], stride: number): Anchor<P>[] {
  const anchors: Anchor<P>[] = [];
  for (const needle of needles) {
    const choices = isEscaped(needle) ? MAX_CHOICES : 1;
    for (let remainder = 0; remainder < stride; remainder += 1) {
      const offset = bestOffset(needle, { stride, remainder, choices });
      for (const word of wordsAt(needle, offset)) anchors.push({ word, needle, offset });
    }
  }
  return anchors;
}

/** Four bytes as one number. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The words there, as many as the readings of their bytes allow. */
export function wordsAt({ bytes, orBytes = bytes }: Pattern, offset: number): number[] {
  let words = [wordAt(bytes, offset)];
  for (let at = offset; at < offset + WORD_BYTES; at += 1) {
    const difference = (bytes[at]! ^ orBytes[at]!) << (8 * (at - offset));
    if (difference !== 0) words = words.flatMap((word) => [word, word ^ difference]);
  }
  return words;
}

/**
 * As far at the end of the needle as can be. A place where the text has a word of a needle, and the word beside it, takes longer to search,
 * which whoever sends the text can measure. Of a secret the sandbox knows the beginning, from its placeholder: with words from there, it
 * could try what follows, one character after another. At the end it learns no more than what the last words say (docs/secrets.md).
 */
function bestOffset(needle: Pattern, { stride, remainder, choices }: { stride: number; remainder: number; choices: number }): number {
  const steps = Math.floor((needle.bytes.length - WORD_BYTES - remainder) / stride);
  const last = remainder + stride * steps;
  if (choices === 1) return last;
  const first = Math.max(remainder, last - stride * (choices - 1));
  let best = last;
  let bestCost = Infinity;
  for (let offset = last; offset >= first && bestCost > 0; offset -= stride) {
    const cost = costAt(needle, offset);
    if (cost < bestCost) [best, bestCost] = [offset, cost];
  }
  return best;
}

/** Escapes repeat after three, six or nine bytes: of three places eight bytes apart each is another part of one. */
const MAX_CHOICES = 3;

/** Whether most of it is escapes, of which every text has the same parts. */
function isEscaped({ bytes }: Pattern): boolean {
  let escapes = 0;
  for (let at = 0; at + 1 < bytes.length; at += 1) if (ESCAPE_BEGINNINGS.has(bytes[at]!)) escapes += 1;
  return escapes * LONGEST_ESCAPE >= bytes.length;
}

const ESCAPE_BEGINNINGS: ReadonlySet<number> = new Set(Buffer.from('\\%&'));
/** `&#x0041;` */
const LONGEST_ESCAPE = 8;

/** `\u00` is in every escaped text and in most needles; a place with two readings takes two words. The zeros tell one alphabet from others. */
function costAt({ bytes, orBytes = bytes }: Pattern, offset: number): number {
  let cost = 0;
  for (let at = offset; at < offset + WORD_BYTES; at += 1) cost += COST_OF_BYTE[bytes[at]!]! + (bytes[at] === orBytes[at] ? 0 : 4);
  return cost;
}

const COST_OF_BYTE: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return '\\u%&#x;'.includes(char) ? 5 : char === '0' ? 4 : 0;
});
