import { describe, expect, test } from 'vitest';
import { parseSize } from '../../src/inputs/parse-size.ts';

const limits = { minBytes: 6 * 2 ** 20, maxBytes: 64 * 2 ** 30 };

describe('a size in bytes', () => {
  test.each([
    ['4g', 4 * 2 ** 30], ['4G', 4 * 2 ** 30], ['10GiB', 10 * 2 ** 30], ['10gb', 10 * 2 ** 30], [' 512m ', 512 * 2 ** 20], ['512 MiB', 512 * 2 ** 20],
    ['1.5g', 1.5 * 2 ** 30], ['0.0625t', 64 * 2 ** 30], ['8192k', 8 * 2 ** 20], ['6291456', 6 * 2 ** 20], ['6291456b', 6 * 2 ** 20], ['6.0000001m', 6_291_456],
  ])('%j', (text, value) => {
    expect(parseSize(text, limits)).toEqual({ ok: true, value });
  });
});

describe('what is no size, or out of bounds', () => {
  const form = 'is not a size: write a number and a unit, such as `512m` or `4g`';
  test.each([
    ['', `\`\` ${form}`], ['g', `\`g\` ${form}`], ['-4g', `\`-4g\` ${form}`], ['4 x', `\`4 x\` ${form}`], ['1e9', `\`1e9\` ${form}`], ['0x10g', `\`0x10g\` ${form}`],
    ['4g4m', `\`4g4m\` ${form}`], ['4,5g', `\`4,5g\` ${form}`], ['4ib', `\`4ib\` ${form}`], ['Infinity', `\`Infinity\` ${form}`], ['٤g', `\`٤g\` ${form}`],
    ['1.5', '`1.5` is a part of a byte: write a unit after it, such as `1.5g`'],
    ['4', '`4` is so many bytes, less than the least of 6m: write a unit after it, such as `4g`'],
    ['50', '`50` is so many bytes, less than the least of 6m: write a unit after it, such as `50g` or `50m`'],
    ['100000', '`100000` is so many bytes, less than the least of 6m: write a unit after it, such as `100000k`'],
    ['1', '`1` is so many bytes, less than the least of 6m: write a unit after it, such as `1g`'],
    ['0', '`0` is less than the least of 6m: write `6m` or more'],
    ['4b', '`4b` is less than the least of 6m: write `6m` or more'],
    ['0g', '`0g` is less than the least of 6m: write `6m` or more'],
    ['65g', '`65g` is more than the most of 64g: write `64g` or less'],
    ['999999999999999t', '`999999999999999t` is more than the most of 64g: write `64g` or less'],
  ])('%j', (text, problem) => {
    expect(parseSize(text, limits)).toEqual({ ok: false, problem });
  });
  test('a bound in odd bytes is still shown as one that can be written', () => {
    expect(parseSize('2g', { minBytes: 0, maxBytes: 1_000_001 })).toMatchObject({ problem: '`2g` is more than the most of 1000001: write `1000001` or less' });
  });
});
