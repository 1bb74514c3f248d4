import { describe, expect, test } from 'vitest';
import { parseDuration } from '../../src/inputs/parse-duration.ts';

const limits = { minSeconds: 1, maxSeconds: 1800 };

describe('a duration in seconds', () => {
  test.each([
    ['30m', 1800], ['90s', 90], ['1m30s', 90], ['1.5m', 90], [' 5M ', 300], ['0.5h', 1800], ['0h5m0s', 300], ['1800s', 1800], ['1s', 1],
  ])('%j', (text, value) => {
    expect(parseDuration(text, limits)).toEqual({ ok: true, value });
  });
});

describe('what is no duration, or out of bounds', () => {
  const form = 'is not a duration: write hours, minutes and seconds, such as `30m`, `90s` or `1m30s`';
  test.each([
    ['', `\`\` ${form}`], ['m', `\`m\` ${form}`], ['-5m', `\`-5m\` ${form}`], ['30s1m', `\`30s1m\` ${form}`], ['5ms', `\`5ms\` ${form}`], ['1d', `\`1d\` ${form}`],
    ['5 m', `\`5 m\` ${form}`], ['1e3s', `\`1e3s\` ${form}`], ['forever', `\`forever\` ${form}`],
    ['30', '`30` has no unit: write `30m` for minutes or `30s` for seconds'],
    ['60', '`60` has no unit: write `60s` for seconds'],
    ['0.5', '`0.5` has no unit: write `0.5m` for minutes'],
    ['0', '`0` has no unit: write a duration from `1s` to `30m`'],
    ['7200', '`7200` has no unit: write a duration from `1s` to `30m`'],
    ['1h', '`1h` is longer than the most of 30m: write `30m` or less'],
    ['30m1s', '`30m1s` is longer than the most of 30m: write `30m` or less'],
    ['999999999h', '`999999999h` is longer than the most of 30m: write `30m` or less'],
    ['0s', '`0s` is shorter than the least of 1s: write `1s` or more'],
  ])('%j', (text, problem) => {
    expect(parseDuration(text, limits)).toEqual({ ok: false, problem });
  });
});
