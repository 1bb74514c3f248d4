import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { parseProxyLimits } from '../../src/inputs/parse-proxy-limits.ts';
import { defaultProxyLimits } from '../../src/proxy/limits.ts';
import { codeOf, parseMarkdownTables } from '../policy/markdown-tables.ts';

test('what is not named keeps its default', () => {
  expect(parseProxyLimits(['', '# none'])).toEqual({ limits: defaultProxyLimits, problems: [] });
  expect(parseProxyLimits(['connections = 10', 'requests-per-minute=60', 'idle=2m', 'header-bytes=16k', 'requests-running=8', 'memory=64m'])).toEqual({
    limits: { connections: 10, requestsPerMinute: 60, idleMs: 120_000, headerBytes: 16_384, requestsRunning: 8, memoryBytes: 64 << 20 }, problems: [],
  });
});

describe('a bad line is quoted, with the remedy', () => {
  test.each([
    ['many', '`many` is not `NAME=VALUE`: write one such as `connections=256`'],
    ['=1', '`=1` is not `NAME=VALUE`: write one such as `connections=256`'],
    ['speed=1', '`speed` is not a limit: write one of `header-bytes`, `idle`, `connections`, `requests-running`, `requests-per-minute`, `memory`'],
    ['constructor=1', '`constructor` is not a limit: write one of `header-bytes`, `idle`, `connections`, `requests-running`, `requests-per-minute`, `memory`'],
    ['connections=0', '`connections`: `0` is out of range: write a number from 4 to 4096'],
    ['connections=', '`connections`: `` is not a whole number: write one such as `256`'],
    ['connections=1k', '`connections`: `1k` is not a whole number: write one such as `256`'],
    ['requests-running=1.5', '`requests-running`: `1.5` is not a whole number: write one such as `256`'],
    ['requests-per-minute=-1', '`requests-per-minute`: `-1` is not a whole number: write one such as `600`'],
    ['requests-per-minute', '`requests-per-minute` is not `NAME=VALUE`: write one such as `requests-per-minute=600`'],
    ['requests-running: 8', '`requests-running: 8` is not `NAME=VALUE`: write one such as `requests-running=256`'],
    ['idle 5s', '`idle 5s` is not `NAME=VALUE`: write one such as `idle=75s`'],
    ['idle=75', '`idle`: `75` has no unit: write `75s` for seconds'],
    ['idle=', '`idle`: `` is not a duration: write hours, minutes and seconds, such as `30m`, `90s` or `1m30s`'],
    ['header-bytes=lots', '`header-bytes`: `lots` is not a size: write a number and a unit, such as `64k`'],
    ['memory=1m', '`memory`: `1m` is less than the least of 64m: write `64m` or more'],
    ['header-bytes=64', '`header-bytes`: `64` is so many bytes, less than the least of 4k: write a unit after it, such as `64k`'],
  ])('%s', (line, problem) => {
    const result = parseInputs({ command: ['true'], workspace: 'none', proxyLimits: [line] }, { secrets: { secrets: [], problems: [] }, workspacePath: '/', homePath: '/root' });
    expect(result.ok ? [] : result.problems).toEqual([`proxy-limits: ${problem}`]);
  });

  test('what is proposed is valid', () => {
    for (const name of ['header-bytes', 'idle', 'connections', 'requests-running', 'requests-per-minute']) {
      const problemOf = (line: string) => parseProxyLimits([line]).problems[0];
      expect(parseProxyLimits([/such as `([^`]*)`$/.exec(problemOf(name)!)![1]!]).problems).toEqual([]);
      expect(problemOf(`${name}=${/such as `([^`]*)`/.exec(problemOf(`${name}=x`)!)![1]!}`)).toBeUndefined();
    }
  });

  test('a limit given twice', () => {
    expect(parseProxyLimits(['idle=1s', 'idle=2s']).problems).toEqual(['proxy-limits: `idle` is given twice: leave one line out']);
  });
});

describe('the table of docs/limits.md is right', () => {
  const page = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  test.each(parseMarkdownTables(page)[0]!.rows.map((row) => row.map((cell) => codeOf(cell)[0] ?? null)))('%s: %s, from %s to %s', (name, normal, least, most) => {
    const limitsOf = (value: string | null) => parseProxyLimits(value === null ? [] : [`${name}=${value}`]);
    expect(limitsOf(normal!)).toEqual({ limits: defaultProxyLimits, problems: [] });
    for (const value of [least!, most!]) expect(limitsOf(value).problems).toEqual([]);
    for (const value of [least!.replace(/\d+/, '0'), most!.replace(/\d+/, (digits) => `${Number(digits) + 1}`)]) expect(limitsOf(value).problems, value).toHaveLength(1);
  });
});
