import { describe, expect, it, test } from 'vitest';
import { compileNeedles } from '../../src/secrets/compile-needles.ts';
import type { Needle } from '../../src/secrets/compile-needles.ts';
import { createDetector, createReplacer } from '../../src/secrets/stream-scanner.ts';
import { seededRandom } from './random.ts';
import type { Random } from './random.ts';

const needlesOf = (...texts: string[]) => compileNeedles(texts.map((text) => ({ bytes: Buffer.from(text), tag: text })));
const mark = (tag: string): Buffer => Buffer.from(`<${tag}>`);

function replaceAll(texts: string[], chunks: string[]): string[] {
  const replacer = createReplacer(needlesOf(...texts), mark);
  return [...chunks.map((chunk) => replacer.push(Buffer.from(chunk)).toString()), replacer.flush().toString()];
}

describe('what comes out, chunk by chunk', () => {
  test.each([
    ['a hit', ['secret'], ['a secret b'], ['a <secret> b', '']],
    ['a hit over two chunks', ['secret'], ['a sec', 'ret b'], ['a ', '<secret> b', '']],
    ['a hit over every byte', ['abcd'], ['a', 'b', 'c', 'd'], ['', '', '', '<abcd>', '']],
    ['only a proper prefix is held back', ['secret'], ['x sec', 'ond'], ['x ', 'second', '']],
    ['a beginning at the end of the body', ['secret'], ['x secre'], ['x ', 'secre']],
    ['a beginning within a beginning', ['ababac'], ['abab', 'abac'], ['', 'ab<ababac>', '']],
    ['the longer of two', ['abcd', 'abcdef'], ['abcdef'], ['<abcdef>', '']],
    ['the shorter waits for the longer', ['abcd', 'abcdef'], ['abcd', 'ef'], ['', '<abcdef>', '']],
    ['and is found when that does not come', ['abcd', 'abcdef'], ['abcd', 'xx'], ['', '<abcd>xx', '']],
    ['or when the body ends', ['abcd', 'abcdef'], ['abcd'], ['', '<abcd>']],
    ['one within a longer one waits', ['xxabcdyy', 'abcd'], ['xxabcd', 'yy'], ['', '<xxabcdyy>', '']],
    ['and is found when that does not come', ['xxabcdyy', 'abcd'], ['xxabcd', 'zz'], ['', 'xx<abcd>zz', '']],
    ['neighbours', ['abcd', 'efgh'], ['abcdefghabcd'], ['<abcd><efgh><abcd>', '']],
    ['overlapping: nothing of either is left', ['abcd', 'cdef'], ['abcdef'], ['<abcd><cdef>', '']],
    ['overlapping over two chunks', ['abcd', 'cdef'], ['abcd', 'efg'], ['<abcd>', '<cdef>g', '']],
    ['one within the other', ['abcdef', 'bcde'], ['abcdefg'], ['<abcdef>g', '']],
    ['a hit whose end begins another', ['abcd', 'dexx'], ['abcd', 'eyy'], ['<abcd>', 'eyy', '']],
  ])('%s', (_, needles, chunks, expected) => {
    expect(replaceAll(needles, chunks)).toEqual(expected);
  });
});

it('gives back all of a chunk where there is nothing to do', () => {
  const replacer = createReplacer(needlesOf('secret'), mark);
  const chunk = Buffer.from('data: hello\n\n');
  expect(replacer.push(chunk)).toEqual(chunk);
  expect(replacer.flush()).toHaveLength(0);
});

it('does not rely on a chunk after push', () => {
  const replacer = createReplacer(needlesOf('secret'), mark);
  const chunk = Buffer.from('x sec');
  const out = replacer.push(chunk).toString();
  chunk.fill(0);
  expect(out + replacer.push(Buffer.from('ret')).toString()).toBe('x <secret>');
});

describe('detection', () => {
  it('finds what is spread over chunks, at the chunk that completes it', () => {
    const detector = createDetector(needlesOf('secret'));
    expect(['a s', 'ecr', 'e', 't!'].map((chunk) => detector.push(Buffer.from(chunk)))).toEqual([null, null, null, 'secret']);
  });
});

it('refuses a needle that would match everywhere', () => {
  expect(() => needlesOf('abc')).toThrow(RangeError);
});

it('finds nothing where there are no needles', () => {
  expect(replaceAll([], ['abc'])).toEqual(['abc', '']);
});

/** The definition: at every place the longest needle there, unless an earlier one reached as far; no byte of any is left. */
function replaceNaively(needles: readonly Needle<Buffer>[], body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let covered = 0;
  for (let at = 0; at < body.length; at += 1) {
    const found = needles.filter((needle) => stands(needle, body, at)).sort((a, b) => b.bytes.length - a.bytes.length)[0];
    if (found && at + found.bytes.length > covered) {
      parts.push(found.tag);
      covered = at + found.bytes.length;
    }
    if (at >= covered) parts.push(body.subarray(at, at + 1));
  }
  return Buffer.concat(parts);
}

function stands({ bytes, orBytes = bytes }: Needle<Buffer>, body: Buffer, start: number): boolean {
  return bytes.every((byte, at) => body[start + at] === byte || body[start + at] === orBytes[at]);
}

test('over random needles, bodies and cuts the output is that of the definition', () => {
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = seededRandom(seed);
    const letters = 1 + random.below(3); // few letters: many overlaps and half matches
    const needles = Array.from({ length: 1 + random.below(6) }, (_, at) => {
      const bytes = text(random, letters, 4 + random.below(seed % 5 === 0 ? 40 : 6));
      const orBytes = Buffer.from(bytes.map((byte) => (random.below(4) === 0 ? byte ^ 0x20 : byte)));
      return { bytes, tag: Buffer.from(`<${at}>`), ...(seed % 3 === 0 ? { orBytes } : {}) };
    });
    const body = Buffer.concat(Array.from({ length: 8 }, () => (random.below(2) ? text(random, letters, random.below(12)) : written(random, needles[random.below(needles.length)]!))));
    const replacer = createReplacer(compileNeedles(needles), (tag) => tag);
    const out = Buffer.concat([...random.cut(body, 1 + random.below(9)).map((chunk) => replacer.push(chunk)), replacer.flush()]);
    expect(out.toString(), `seed ${seed}`).toBe(replaceNaively(needles, body).toString());
  }
});

test('passed on evenly it is the same, and where it ends does not depend on what a needle begins with', () => {
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = seededRandom(seed);
    const letters = 1 + random.below(3);
    const needles = Array.from({ length: 1 + random.below(6) }, (_, at) => ({ bytes: text(random, letters, 4 + random.below(9)), tag: Buffer.from(`<${at}>`) }));
    const compiled = compileNeedles(needles);
    const body = Buffer.concat(Array.from({ length: 8 }, () => (random.below(2) ? text(random, letters, random.below(12)) : needles[random.below(needles.length)]!.bytes)));
    const replacer = createReplacer(compiled, (tag) => tag);
    const parts = random.cut(body, 1 + random.below(9)).flatMap((chunk) => {
      const even = replacer.pushEvenly(chunk);
      // Less only where a hit that was replaced reaches into the last bytes.
      expect(replacer.pendingBytes(), `seed ${seed}`).toBeLessThan(compiled.longest);
      if (random.below(4) > 0) return [even];
      const ifWhole = random.below(2) === 0;
      const settled = replacer.settle({ ifWhole });
      if (ifWhole && settled.length > 0) expect(replacer.pendingBytes()).toBe(0);
      return [even, settled];
    });
    const out = Buffer.concat([...parts, replacer.flush()]);
    expect(out.toString(), `seed ${seed}`).toBe(replaceNaively(needles, body).toString());
  }
});

test.each([['nothing that is looked for', '................'], ['nearly all of it', 'aB3dE6gH9jK2mN5'], ['some of it', '............aB3d']])('of a chunk that ends with %s as much is passed on', (_, ending) => {
  const replacer = createReplacer(needlesOf('aB3dE6gH9jK2mN5p'), mark);
  const sizes = [100, 10, 1, 0].map((length) => replacer.pushEvenly(Buffer.from(`${'.'.repeat(length)}${ending}`)).length - ending.length);
  expect(sizes).toEqual([85, 10, 1, 0]);
});

test('a detector finds what there is to find, and nothing else, however the body is cut', () => {
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = seededRandom(seed);
    const needles = Array.from({ length: 1 + random.below(4) }, (_, at) => ({ bytes: text(random, 3, 4 + random.below(9)), tag: at }));
    const body = text(random, 3, random.below(120));
    const detector = createDetector(compileNeedles(needles));
    const found = random.cut(body, 1 + random.below(40)).some((chunk) => detector.push(chunk) !== null);
    expect(found, `seed ${seed}`).toBe(needles.some(({ bytes }) => body.includes(bytes)));
  }
});

function text(random: Random, letters: number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => 97 + random.below(letters)));
}

function written(random: Random, { bytes, orBytes = bytes }: Needle<Buffer>): Buffer {
  return Buffer.from(bytes.map((byte, at) => (random.below(2) ? byte : orBytes[at]!)));
}

test('what a detector searches does not depend on what the chunks end with', () => {
  const secret = 'aB3dE6gH9jK2mN5p';
  const searchesOf = (ending: string) => {
    const needles = needlesOf(secret, 'another needle');
    const searches: unknown[] = [];
    const detector = createDetector({
      ...needles,
      find: (text, from) => {
        searches.push(['find', text.length, from]);
        return needles.find(text, from);
      },
      findBehind: (text, searched) => {
        searches.push(['findBehind', text.length, searched]);
        return needles.findBehind(text, searched);
      },
      tailStart: () => { throw new Error('how a chunk ends was looked at'); },
    });
    for (const length of [3, 40, 1, 7, 100, 20]) expect(detector.push(Buffer.from('.'.repeat(length) + ending))).toBeNull();
    return searches;
  };
  for (let known = 1; known < secret.length; known += 1) expect(searchesOf(secret.slice(0, known))).toEqual(searchesOf('?'.repeat(known)));
});

test('a needle is compared to its end, wherever a text differs from it', () => {
  const needle = 'aB3dE6gH9jK2mN5pQ8rS1tU4';
  const needles = needlesOf(needle);
  const readsOf = (text: Buffer) => {
    let reads = 0;
    const counting = new Proxy(text, { get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      const found: unknown = Reflect.get(target, key, target);
      return found;
    } });
    expect(needles.find(counting, 0)).toBeNull();
    return reads;
  };
  const known = (length: number) => Buffer.from(`........${needle.slice(0, length).padEnd(needle.length - 11, '.')}${needle.slice(-11)}........`);
  for (let length = 1; length < needle.length - 11; length += 1) expect(readsOf(known(length))).toBe(readsOf(known(0)));
  expect(readsOf(known(0))).toBeGreaterThan(needle.length);
});

test('the end of a text is looked at alike, whether it begins a needle or differs from one in its last byte', () => {
  const needle = 'aB3dE6gH9jK2mN5pQ8rS1tU4';
  const needles = needlesOf(needle, 'another needle');
  const lookAt = (ending: string) => {
    let reads = 0;
    const text = Buffer.from(`........${ending}`);
    const start = needles.tailStart(new Proxy(text, { get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
      const found: unknown = Reflect.get(target, key, target);
      return found;
    } }), 0);
    return { reads, heldBytes: text.length - start };
  };
  for (let length = 3; length < needle.length; length += 1) {
    const [right, wrong] = [lookAt(needle.slice(0, length)), lookAt(`${needle.slice(0, length - 1)}?`)];
    expect([right.heldBytes, wrong.heldBytes]).toEqual([length, 0]);
    expect(right.reads).toBe(wrong.reads);
  }
});
