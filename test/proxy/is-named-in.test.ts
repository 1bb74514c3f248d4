import { expect, test } from 'vitest';
import { isNamedIn } from '../../src/proxy/is-named-in.ts';

test.each<[string, string, number, boolean]>([
  ['', 'example.com', 443, false],
  ['example.com', 'example.com', 443, true],
  ['example.com', 'a.b.example.com', 443, true],
  ['example.com', 'notexample.com', 443, false],
  ['example.com', 'example.com.evil.test', 443, false],
  ['.example.com', 'example.com', 443, true],
  ['.example.com', 'a.example.com', 443, true],
  ['*.example.com', 'example.com', 443, false],
  ['*.example.com', 'a.b.example.com', 443, true],
  ['EXAMPLE.com.', 'example.com', 443, true],
  ['*', 'anything.test', 80, true],
  ['a.test,*', 'anything.test', 80, true],
  ['a.test, b.test c.test', 'b.test', 443, true],
  ['a.test, b.test c.test', 'c.test', 443, true],
  ['example.com:8443', 'example.com', 8443, true],
  ['example.com:8443', 'a.example.com', 8443, true],
  ['example.com:8443', 'example.com', 443, false],
  ['.', 'example.com', 443, false],
  [',, ,', 'example.com', 443, false],
  ['com', 'example.com', 443, true],
  // Compared with what was asked for, which is a name.
  ['10.0.0.0/8,203.0.113.0/24,203.0.113.9,::1,[::1]:443,fd00::/8', 'example.com', 443, false],
])('%j, %s:%i: %s', (noProxy, host, port, expected) => {
  expect(isNamedIn(noProxy, { host, port })).toBe(expected);
});
