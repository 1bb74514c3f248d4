import { describe, expect, test } from 'vitest';
import { parseRules } from '../../src/policy/parse-rules.ts';

const any = { kind: 'http', methods: null, port: null, path: null };

describe('a line and the rule it becomes', () => {
  test.each([
    ['api.example.com', { ...any, host: { kind: 'exact', name: 'api.example.com' } }],
    ['*.example.com', { ...any, host: { kind: 'one-label', name: 'example.com' } }],
    ['**.example.com', { ...any, host: { kind: 'any-depth', name: 'example.com' } }],
    ['9.9.9.9', { ...any, host: { kind: 'address', name: '9.9.9.9' } }],
    ['API.Example.COM.', { ...any, host: { kind: 'exact', name: 'api.example.com' } }],
    ['bücher.example', { ...any, host: { kind: 'exact', name: 'xn--bcher-kva.example' } }],
    ['ｅｘａｍｐｌｅ。com', { ...any, host: { kind: 'exact', name: 'example.com' } }],
    ['registry', { ...any, host: { kind: 'exact', name: 'registry' } }],
    ['get,POST,get api.example.com:8443/v1/**', { kind: 'http', methods: ['GET', 'POST'], host: { kind: 'exact', name: 'api.example.com' }, port: 8443, path: '/v1/**' }],
    ['GET\tapi.example.com/%7euser/caf%c3%a9/ü', { ...any, methods: ['GET'], host: { kind: 'exact', name: 'api.example.com' }, path: '/~user/caf%C3%A9/%C3%BC' }],
    ['api.example.com/a,b/@scope/*', { ...any, host: { kind: 'exact', name: 'api.example.com' }, path: '/a,b/@scope/*' }],
    ['*.example.github.io', { ...any, host: { kind: 'one-label', name: 'example.github.io' } }],
  ])('%s', (line, rule) => {
    expect(parseRules([line])).toEqual({ rules: [{ text: line, ...rule }], problems: [] });
  });

  test('tcp://**.DB.example.com:5432', () => {
    expect(parseRules(['tcp://**.DB.example.com:5432'])).toEqual({
      rules: [{ kind: 'tcp', text: 'tcp://**.DB.example.com:5432', host: { kind: 'any-depth', name: 'db.example.com' }, port: 5432 }], problems: [],
    });
  });
});

test('blank lines and comments are skipped, and a comment is no part of the text', () => {
  expect(parseRules(['', '  ', '# all of them', '  api.example.com\t# the API', '#']).rules.map(({ text }) => text)).toEqual(['api.example.com']);
});

test('several rules in one value are refused, also behind a comment, and no password of any is quoted', () => {
  const problem = 'allow rule `a.example`: a line break follows: write one rule a line, on the command line each behind an `--allow` of its own.';
  expect(parseRules(['a.example\nGET b.example', ' a.example\r\nhttps://me:hunter22@b.example\n'])).toEqual({ rules: [], problems: [problem, problem] });
  expect(parseRules(['a.example # the API\nb.example', 'https://me:hunter22@a.example\nb'])).toMatchObject({ rules: [], problems: [expect.stringContaining('a line break follows'), expect.not.stringContaining('hunter22')] });
  expect(parseRules(['a.example\n']).rules).toHaveLength(1);
});

test('a range of addresses is not taken for an address with a path', () => {
  expect(parseRules(['10.0.0.0/8']).problems).toEqual([expect.stringContaining('range of addresses')]);
  expect(parseRules(['GET 9.9.9.9/8', '9.9.9.9/v1', '9.9.9.9/8/*']).problems).toEqual([]);
});

test('duplicates are kept', () => {
  expect(parseRules(['example.com', 'example.com'])).toMatchObject({ rules: [{}, {}], problems: [] });
});

test('all problems of all lines are given at once, with the rules of the other lines', () => {
  const { rules, problems } = parseRules(['FETCH *.com:0/a/../b', 'example.com', '**']);
  expect(rules.map(({ text }) => text)).toEqual(['example.com']);
  expect(problems.map((problem) => problem.replace(/: write.*/, ''))).toEqual([
    'allow rule `FETCH *.com:0/a/../b`: `FETCH` is not a method',
    'allow rule `FETCH *.com:0/a/../b`: the port `0` is not a number from 1 to 65535',
    'allow rule `FETCH *.com:0/a/../b`: the path `/a/../b` can be read in two ways',
    'allow rule `FETCH *.com:0/a/../b`: `*.com` covers the public suffix `com`, where anybody can have a name',
    'allow rule `**`: `**` would match every host: name the hosts, one a line.',
  ]);
});

test('a message cannot rewrite the log it appears in, nor grow without bound', () => {
  const [first, second] = parseRules(['a\u0007::x\u001b[2K\u202e.test', `${'a'.repeat(5000)}..b`]).problems;
  expect(first).toMatch(/^allow rule `a\\u\{7\}::x\\u\{1b\}\[2K\\u\{202e\}\.test`: /);
  expect(first).not.toMatch(/\p{Cc}|\p{Cf}/u);
  expect(second!.length).toBeLessThan(700);
});

test.each([
  'https://user:hunter22@api.example.com/',
  'tcp://user:hunter22@db.example.com:5432/x',
  'GET https://hunter22@api.example.com/',
  'GET POST //user:hunter22@api.example.com',
  'user:hunter22@api.example.com/v1',
  'hunter22@[::1]',
  'api.example.com/v1?token=hunter22',
  'https://api.example.com/v1?token=hunter22#x',
])('a password or token in %s is not repeated', (line) => {
  const { rules, problems } = parseRules([line]);
  expect(rules).toEqual([]);
  expect(problems).toHaveLength(1);
  expect(problems[0]).not.toContain('hunter22');
});

test('hostile lines are parsed in linear time', () => {
  const long = 20_000;
  const lines = ['a@'.repeat(long), 'a '.repeat(long), '*'.repeat(long), '/**'.repeat(long), '#'.repeat(long), '['.repeat(long), ':'.repeat(long), '%41'.repeat(long)];
  const { problems } = parseRules([...lines, ...lines.map((line) => `GET example.com/${line}`)]);
  expect(problems.length).toBeGreaterThan(lines.length);
}, 4000);
