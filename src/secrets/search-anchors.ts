import { WORD_BYTES, wordsAt } from './anchor-words.ts';
import type { Anchor, Pattern } from './anchor-words.ts';

/** The first of the places `from`, `from + stride`, … where an anchor stands, or seems to; -1 where there is none. */
export type AnchorSearch = (text: Uint8Array, from: number) => number;

/**
 * The loop every byte of traffic passes: one load, one multiplication and one look at a small table for `stride` bytes. Where the table
 * has a mark, the word next to it decides: four characters of hexadecimal turn up by chance, eight do not.
 */
export function compileAnchorSearch(anchors: readonly Anchor<Pattern>[], stride: number): AnchorSearch {
  const pairsOfAnchors = anchors.map(pairsOf);
  const marks = createTable(anchors.length);
  const pairs = createTable(pairsOfAnchors.reduce((count, { length }) => count + length, 0));
  /** words of needles that have no other beside them */
  const alone = new Set<number>();
  for (const [index, anchor] of anchors.entries()) {
    add(marks, hash(anchor.word), markOf(anchor));
    for (const pair of pairsOfAnchors[index]!) add(pairs, pair, 1);
    if (pairsOfAnchors[index]!.length === 0) alone.add(anchor.word);
  }

  const isConfirmed = (view: DataView, at: number): boolean => {
    const word = view.getInt32(at, true);
    const mark = markAt(marks, hash(word));
    if (mark & WITH_NEXT && at + 2 * WORD_BYTES <= view.byteLength && markAt(pairs, combine(word, view.getInt32(at + WORD_BYTES, true))) !== 0) return true;
    if (mark & WITH_LAST && at >= WORD_BYTES && markAt(pairs, combine(view.getInt32(at - WORD_BYTES, true), word)) !== 0) return true;
    return mark === EITHER && alone.has(word);
  };
  return (text, from) => {
    const last = text.length - WORD_BYTES;
    if (from > last) return -1;
    const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
    for (let at = from; at <= last; at += stride) {
      at = skipUnmarked(view, marks.bits, marks.shift, stride, at, last);
      if (at > last) return -1;
      if (isConfirmed(view, at)) return at;
    }
    return -1;
  };
}

/**
 * The first place of a marked word, or one behind `last`. It calls nothing and has all it needs in parameters and literals: in any other
 * shape V8 loads the table's address and the constants anew at each place and takes up to twice as long.
 */
function skipUnmarked(view: DataView, bits: Int32Array, shift: number, stride: number, from: number, last: number): number {
  for (let at = from; at <= last; at += stride) {
    // Four bytes in one load, wherever they lie. The factor is MULTIPLIER; a shift goes by the last five bits of its right side.
    const place = Math.imul(view.getInt32(at, true), -1640531535) >>> shift;
    if (((bits[place >>> 4]! >>> (place << 1)) & 3) !== 0) return at;
  }
  return last + 1;
}

/** What a word needs beside it to be taken for an anchor; several anchors may share a mark. With nothing beside it, it has both marks. */
const WITH_NEXT = 1;
const WITH_LAST = 2;
const EITHER = 3;

/** Numbers and their marks, of two bits each, as a processor's nearest caches hold few bytes. Some that were not added seem to have one, too. */
type Table = { bits: Int32Array; shift: number };

const MIN_PLACES_LOG2 = 12;
/** 256 KiB: beyond it misses of the processor's caches cost more than false alarms. */
const MAX_PLACES_LOG2 = 20;
const PLACES_PER_NUMBER = 16;

/** Knuth's multiplicative hash (The Art of Computer Programming, vol. 3, section 6.4): 2^32 divided by the golden ratio, as a signed number. */
const MULTIPLIER = -1640531535;

function createTable(count: number): Table {
  const placesLog2 = Math.min(MAX_PLACES_LOG2, Math.max(MIN_PLACES_LOG2, Math.ceil(Math.log2(count * PLACES_PER_NUMBER))));
  return { bits: new Int32Array(1 << (placesLog2 - 4)), shift: 32 - placesLog2 };
}

function add({ bits, shift }: Table, hashed: number, mark: number): void {
  const place = hashed >>> shift;
  bits[place >>> 4]! |= mark << (place << 1);
}

function markAt({ bits, shift }: Table, hashed: number): number {
  const place = hashed >>> shift;
  return (bits[place >>> 4]! >>> (place << 1)) & EITHER;
}

function hash(word: number): number {
  return Math.imul(word, MULTIPLIER);
}

function markOf({ needle, offset }: Anchor<Pattern>): number {
  if (offset + 2 * WORD_BYTES <= needle.bytes.length) return WITH_NEXT;
  return offset >= WORD_BYTES ? WITH_LAST : EITHER;
}

/** The eight bytes an anchor is confirmed by, hashed, as many as the readings of their bytes allow; none where its needle has fewer. */
function pairsOf(anchor: Anchor<Pattern>): number[] {
  const { word, needle, offset } = anchor;
  switch (markOf(anchor)) {
    case WITH_NEXT: return wordsAt(needle, offset + WORD_BYTES).map((next) => combine(word, next));
    case WITH_LAST: return wordsAt(needle, offset - WORD_BYTES).map((last) => combine(last, word));
    default: return [];
  }
}

function combine(first: number, second: number): number {
  return hash(Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ second);
}
