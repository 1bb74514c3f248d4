import { anchorWords, WORD_BYTES, wordAt } from './anchor-words.ts';
import type { Anchor, Pattern } from './anchor-words.ts';
import { indexHeads } from './needle-heads.ts';
import { compileAnchorSearch } from './search-anchors.ts';

/** Bytes to look for and what they mean to the caller. At least 4 bytes. `knownBytes`: so many at the beginning are no secret. */
export type Needle<Tag> = Pattern & { tag: Tag; knownBytes?(): number };

export type Hit<Tag> = { tag: Tag; start: number; end: number };

export type Needles<Tag> = {
  /** bytes of the longest */
  longest: number;
  /** The leftmost hit at or after `from`; of several at one place the longest, of equal ones the first given. */
  find(text: Uint8Array, from: number): Hit<Tag> | null;
  /** Some hit, of a text of which the first `searched` bytes are known to hold none; only the rest is looked through again. */
  findBehind(text: Uint8Array, searched: number): Hit<Tag> | null;
  /** Where the earliest tail begins that is a proper prefix of some needle; `text.length` where there is none. */
  tailStart(text: Uint8Array, from: number): number;
  /** Whether some tail of more than so many bytes is a proper prefix of a needle, and goes beyond what is known of it. */
  hasSecretTail(text: Uint8Array, moreThanBytes: number): boolean;
};

/**
 * Compiles needles for a search that looks at four bytes of the text, then skips as many as the shortest needle allows. A table
 * says whether the four are an anchor of some needle (anchor-words.ts); only then is anything compared. Twenty secrets are
 * some thousand needles, and their number hardly matters (bench/scanner.ts); a RegExp of as many alternatives is hundreds of times slower.
 */
export function compileNeedles<Tag>(given: readonly Needle<Tag>[]): Needles<Tag> {
  const needles = longestFirst(given);
  if (needles.length === 0) return { longest: 0, find: () => null, findBehind: () => null, tailStart: (text) => text.length, hasSecretTail: () => false };
  const longest = needles[0]!.bytes.length;
  const shortest = needles.at(-1)!.bytes.length;
  if (shortest < WORD_BYTES) throw new RangeError(`a needle of ${shortest} bytes would match everywhere; the least is ${WORD_BYTES}`);
  const stride = Math.min(shortest - WORD_BYTES + 1, MAX_STRIDE);
  const words = anchorWords(needles, stride);
  const anchors = groupAnchors(words);
  const nextAnchor = compileAnchorSearch(words, stride);
  const heads = indexHeads(needles);
  /** from the beginning of an anchor to the end of its needle, at most */
  const anchorReach = words.reduce((reach, { needle, offset }) => Math.max(reach, needle.bytes.length - offset), 0);

  let knownBytes: Map<Needle<Tag>, number> | null = null;

  const longestAt = (text: Uint8Array, start: number): Hit<Tag> | null => {
    for (const needle of heads.wholeAt(text, start)) {
      const end = start + needle.bytes.length;
      if (end <= text.length && agree(text, start, end, needle)) return { tag: needle.tag, start, end };
    }
    return null;
  };
  /** Whether some needle with its anchor at `at` is there: the first that is, no matter which. */
  const startAt = (text: Uint8Array, at: number, from: number): number => {
    const candidates = anchors.get(wordAt(text, at));
    if (candidates === undefined) return -1;
    for (const { needle, offset } of candidates) {
      const start = at - offset;
      const end = start + needle.bytes.length;
      if (start >= from && end <= text.length && agree(text, start, end, needle)) return start;
    }
    return -1;
  };

  const findFrom = (text: Uint8Array, { from, firstPlace }: { from: number; firstPlace: number }): Hit<Tag> | null => {
    for (let at = nextAnchor(text, firstPlace); at !== -1; at = nextAnchor(text, at + stride)) {
      const found = startAt(text, at, from);
      if (found === -1) continue;
      // One that begins further left may have its anchor further right.
      for (let start = Math.max(from, at - longest); start <= found; start += 1) {
        const hit = longestAt(text, start);
        if (hit !== null) return hit;
      }
    }
    return null;
  };

  return {
    longest,
    find: (text, from) => findFrom(text, { from, firstPlace: from + stride - 1 }),
    findBehind: (text, searched) => findFrom(text, { from: 0, firstPlace: Math.max(0, searched + 1 - anchorReach) }),
    tailStart(text, from) {
      const end = text.length;
      let tail = from < end && heads.hasFirst(text[end - 1]!) ? end - 1 : end;
      // All of them, whatever was found and however the text ends: time would tell which guesses begin a needle.
      for (let start = end - 2; start >= Math.max(from, end - longest + 1); start -= 1) {
        for (const needle of heads.beginningAt(text, start)) {
          if (needle.bytes.length <= end - start) break; // longest first: the rest are shorter still
          if (agree(text, start, end, needle)) tail = start;
        }
      }
      return tail;
    },
    hasSecretTail(text, moreThanBytes) {
      // Of all at once: which are asked for would be told by the time.
      knownBytes ??= new Map(needles.map((needle) => [needle, needle.knownBytes?.() ?? 0]));
      const end = text.length;
      for (let start = Math.max(0, end - longest + 1); start < end - moreThanBytes; start += 1) {
        for (const needle of heads.beginningAt(text, start)) {
          if (needle.bytes.length <= end - start) break; // longest first: the rest are shorter still
          if (knownBytes.get(needle)! < end - start && agree(text, start, end, needle)) return true;
        }
      }
      return false;
    },
  };
}

/** Longer strides save little of what is left and cost twice the anchors, and the time to compile them. */
const MAX_STRIDE = 8;

function longestFirst<Tag>(given: readonly Needle<Tag>[]): Needle<Tag>[] {
  const distinct = new Map<string, Needle<Tag>>();
  for (const needle of given) {
    const key = Buffer.concat([needle.bytes, needle.orBytes ?? needle.bytes]).toString('latin1');
    if (!distinct.has(key)) distinct.set(key, needle);
  }
  return [...distinct.values()].sort((a, b) => b.bytes.length - a.bytes.length);
}

function groupAnchors<P extends Pattern>(anchors: readonly Anchor<P>[]): Map<number, Anchor<P>[]> {
  const groups = new Map<number, Anchor<P>[]>();
  for (const anchor of anchors) {
    const members = groups.get(anchor.word);
    if (members) members.push(anchor);
    else groups.set(anchor.word, [anchor]);
  }
  return groups;
}

/** Takes as long wherever the two differ: how far a guess is right is not to be told from the time. */
function agree(text: Uint8Array, start: number, end: number, { bytes, orBytes = bytes }: Pattern): boolean {
  let differences = 0;
  for (let at = start; at < end; at += 1) {
    const byte = text[at]!;
    differences |= (byte ^ bytes[at - start]!) * (byte ^ orBytes[at - start]!);
  }
  return differences === 0;
}
