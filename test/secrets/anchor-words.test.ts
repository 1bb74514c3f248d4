import { expect, test } from 'vitest';
import { anchorWords, WORD_BYTES } from '../../src/secrets/anchor-words.ts';
import { seededRandom } from './random.ts';

test.each([8, 5, 1])('a value is looked for by its end, of which the sandbox knows nothing, and not by the beginning that its placeholder shows (stride %i)', (stride) => {
  for (let seed = 0; seed < 100; seed++) {
    const bytes = Buffer.from(`sk-proj-${seededRandom(seed).bytes(30).toString('base64url')}`);
    const offsets = anchorWords([{ bytes }], stride).map(({ offset }) => offset);
    // With the word before it, which a place is confirmed by.
    expect(Math.min(...offsets) - WORD_BYTES).toBeGreaterThan('sk-proj-'.length);
    // One for each place a search of this stride may come to stand on.
    expect(new Set(offsets.map((offset) => offset % stride)).size).toBe(stride);
  }
});

test('one that is as short as can be is still found from every place', () => {
  const offsets = anchorWords([{ bytes: Buffer.from('abcdefghijk') }], 8).map(({ offset }) => offset);
  expect([...offsets].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
