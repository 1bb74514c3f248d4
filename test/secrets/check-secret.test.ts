import { describe, expect, test } from 'vitest';
import { secretProblems } from '../../src/secrets/check-secret.ts';

const key = 'sk-proj-aB3dE6gH9jK2mN5pQ8sT1v';

describe('a secret is refused with one sentence that quotes its name and never its value', () => {
  test.each([
    ['digit first', '1KEY', key, /^Secret `1KEY` cannot be an environment variable: use letters/],
    ['a hyphen', 'MY-KEY', key, /environment variable/],
    ['no name', '', key, /environment variable/],
    ['a line break in the name', 'A\nB', key, /`A\\u\{a\}B`/],
    ['empty', 'KEY', '', /^Secret `KEY` is empty: set/],
    ['whitespace', 'KEY', ' \t\n ', /only whitespace/],
    ['NUL', 'KEY', 'abc\0defghij', /NUL/],
    ['trailing line break', 'KEY', `${key}\n`, /remove the line break at the end/],
    ['trailing CRLF', 'KEY', `${key}\r\n`, /remove the line break at the end/],
    ['two lines', 'KEY', 'first-line\nsecond-line', /several lines/],
    ['PEM', 'KEY', '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n', /PEM .* exchange it for a token/],
    ['an escape character', 'KEY', 'abcdefgh\x1b[0m', /control character/],
    ['leading space', 'KEY', ` ${key}`, /begins or ends with whitespace/],
    ['half a surrogate pair', 'KEY', 'abcdefgh\ud83d', /well-formed/],
    ['seven characters', 'KEY', 'aB3dE6g', /shorter than 8/],
    ['8193 characters', 'KEY', 'aB3dE6gH'.repeat(1024) + 'x', /longer than 8192/],
    ['one character repeated', 'KEY', 'aaaaaaaaaaaa', /ordinary text/],
    ['three characters repeated', 'KEY', 'abcabcabcabc', /ordinary text/],
    ['a field name', 'KEY', 'Password', /ordinary text/],
    ['a vendor prefix alone', 'KEY', 'sk_live_', /ordinary text/],
  ])('%s', (_, name, value, message) => {
    const problems = secretProblems({ name, value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
    expect(problems[0]).toMatch(/^Secret `[^\n]*\.$/);
    if (value.trim().length > 8) expect(problems[0]).not.toContain(value.trim());
  });
});

test.each([
  ['lower-case name', 'key_1', key],
  ['underscore first', '_KEY', key],
  ['eight characters', 'KEY', 'aB3dE6gH'],
  ['a passphrase', 'KEY', 'correct horse battery staple'],
  ['beyond ASCII', 'KEY', 'schlüssel🔑loch'],
])('accepted: %s', (_, name, value) => {
  expect(secretProblems({ name, value })).toEqual([]);
});

test('a bad name and a bad value are both told', () => {
  expect(secretProblems({ name: 'a b', value: '' })).toHaveLength(2);
});
