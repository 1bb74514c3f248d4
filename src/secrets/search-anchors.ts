import { WORD_BYTES, wordAt, wordsAt } from './anchor-words.ts';
import type { Anchor, Pattern } from './anchor-words.ts';

/** The first of the places `from`, `from + stride`, … where an anchor stands, or seems to; -1 where there is none. */
export type AnchorSearch = (text: Uint8Array, from: number) => number;

/**
 * The loop every byte of traffic passes: one load, one multiplication and one look at a small table for `stride` bytes. Where the table
 * has a mark, the word next to it decides: four characters of hexadecimal turn up by chance, eight do not.
 */
export function compileAnchorSearch(anchors: readonly Anchor<Pattern>[], stride: number): AnchorSearch {
  const marks = createTable(anchors.length);
  const pairs = createTable(anchors.length);
  for (const anchor of anchors) {
    marks.bytes[slot(anchor.word, marks.shift)]! |= markOf(anchor);
    for (const pair of pairsOf(anchor)) pairs.bytes[slot(pair, pairs.shift)] = 1;
  }

  const isConfirmed = (text: Uint8Array, at: number): boolean => {
    const word = wordAt(text, at);
    const mark = marks.bytes[slot(word, marks.shift)]!;
    if (mark & ALONE) return true;
    if (mark & WITH_NEXT && at + 2 * WORD_BYTES <= text.length && pairs.bytes[slot(combine(word, wordAt(text, at + WORD_BYTES)), pairs.shift)] !== 0) return true;
    return (mark & WITH_LAST) !== 0 && at >= WORD_BYTES && pairs.bytes[slot(combine(wordAt(text, at - WORD_BYTES), word), pairs.shift)] !== 0;
  };
  return (text, from) => {
    const last = text.length - WORD_BYTES;
    if (from > last) return -1;
    const view = new DataView(text.buffer, text.byteOffset, text.byteLength);
    for (let at = from; at <= last; at += stride) {
      at = skipUnmarked(view, marks.bytes, marks.shift, stride, at, last);
      if (at > last) return -1;
      if (isConfirmed(text, at)) return at;
    }
    return -1;
  };
}

/**
 * The first place of a marked word, or one behind `last`. It calls nothing and has all it needs in parameters and literals: in any other
 * shape V8 loads the table's address and the constants anew at each place and takes up to twice as long.
 */
function skipUnmarked(view: DataView, marks: Uint8Array, shift: number, stride: number, from: number, last: number): number {
  let at = from;
  // Four bytes in one load, wherever they lie. The factor is MULTIPLIER.
  while (at <= last && marks[Math.imul(view.getInt32(at, true), -1640531535) >>> shift] === 0) at += stride;
  return at;
}

/** What a word needs beside it to be taken for an anchor; several anchors may share a mark. */
const ALONE = 1;
const WITH_NEXT = 2;
const WITH_LAST = 4;

type Table = { bytes: Uint8Array; shift: number };

const MIN_TABLE_BITS = 12;
/** 256 kB: beyond it misses of the processor's caches cost more than false alarms. */
const MAX_TABLE_BITS = 18;
const SLOTS_PER_WORD = 16;

/** Knuth's multiplicative hash (The Art of Computer Programming, vol. 3, section 6.4): 2^32 divided by the golden ratio, as a signed number. */
const MULTIPLIER = -1640531535;

function createTable(words: number): Table {
  const bits = Math.min(MAX_TABLE_BITS, Math.max(MIN_TABLE_BITS, Math.ceil(Math.log2(words * SLOTS_PER_WORD))));
  return { bytes: new Uint8Array(1 << bits), shift: 32 - bits };
}

function slot(word: number, shift: number): number {
  return Math.imul(word, MULTIPLIER) >>> shift;
}

function markOf({ needle, offset }: Anchor<Pattern>): number {
  if (offset + 2 * WORD_BYTES <= needle.bytes.length) return WITH_NEXT;
  return offset >= WORD_BYTES ? WITH_LAST : ALONE;
}

function pairsOf(anchor: Anchor<Pattern>): number[] {
  const { word, needle, offset } = anchor;
  const mark = markOf(anchor);
  if (mark === ALONE) return [];
  return mark === WITH_NEXT
    ? wordsAt(needle, offset + WORD_BYTES).map((next) => combine(word, next))
    : wordsAt(needle, offset - WORD_BYTES).map((last) => combine(last, word));
}

function combine(first: number, second: number): number {
  return Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ second;
}
