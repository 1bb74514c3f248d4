import { describe, expect, test } from 'vitest';
import { matchesHost } from '../../src/policy/matches-host.ts';
import { normaliseHost } from '../../src/policy/normalise-host.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';

describe('the host of a binding is refused with the host to write instead', () => {
  test.each([
    ['https://api.example.com', '`https://api.example.com` has a scheme: write `api.example.com`'],
    ['https://me:hunter22@api.example.com:8443/v1?k=hunter22', '`https://api.example.com:8443/v1` has a scheme: write `api.example.com`'],
    ['//api.example.com', '`//api.example.com` has a scheme: write `api.example.com`'],
    ['me:hunter22@api.example.com', 'a user name before `api.example.com` has no place in a host: write `api.example.com`'],
    ['api.example.com:8443', '`api.example.com:8443` is more than a host: write `api.example.com`, and open the port by a rule: `api.example.com:8443` in allow'],
    ['api.example.com:443', '`api.example.com:443` is more than a host: write `api.example.com`'],
    ['api.example.com/v1', '`api.example.com/v1` is more than a host: write `api.example.com`'],
    ['', 'the host is missing: write a name such as `api.example.com`'],
    ['*', '`*` would match every host: name the hosts, one a line'],
    ['*.co.uk', '`*.co.uk` covers the public suffix `co.uk`, where anybody can have a name: write the names you need, or a wildcard further down such as `*.example.co.uk`'],
    ['*.COM.', '`*.COM.` covers the public suffix `com`, where anybody can have a name: write the names you need, or a wildcard further down such as `*.example.com`'],
    ['**.рф', '`**.рф` covers the public suffix `xn--p1ai`, where anybody can have a name: write the names you need, or a wildcard further down such as `**.example.xn--p1ai`'],
    ['[::1]', 'the IPv6 address `[::1]` is not supported yet: write a name or an IPv4 address'],
    ['::ffff:10.0.0.1', 'the IPv6 address `::ffff:10.0.0.1` is not supported yet: write a name or an IPv4 address'],
    ['fe80::1%eth0', 'the IPv6 address `fe80::1%eth0` is not supported yet: write a name or an IPv4 address'],
  ])('%j', (text, problem) => {
    expect(parseHostPattern(text)).toEqual({ ok: false, problem });
  });
});

describe('one spelling for every form of a host', () => {
  test.each([
    ['example.com', 'example.com'],
    ['EXAMPLE.com.', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['bücher。example。', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['faß.de', 'xn--fa-hia.de'],
    ['127.1', '127.0.0.1'],
    ['１２７.0.0.1', '127.0.0.1'],
    ['[2001:DB8:0:0::1]', '2001:db8::1'],
    ['[::8.8.8.8]', '::808:808'],
    ['fe80::1%eth0', null],
    ['example.com..', null],
    ['.', null],
    ['', null],
    ['a..b', null],
    ['xn--a.com', null],
    ['a%2eb', null],
    ['a/b', null],
    ['a#b', null],
    ['a\tb', null],
    ['a\0b', null],
    ['*.a', null],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
    [`${'a'.repeat(64)}.com`, null],
    [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
    [`${'a.'.repeat(126)}aa`, null],
  ])('%j is %j', (text, name) => {
    expect(normaliseHost(text)).toBe(name);
  });
});

describe('one pattern and one host', () => {
  test.each([
    ['example.com', 'example.com', true],
    ['example.com', 'a.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['**.example.com', 'a.b.example.com', true],
    ['**.example.com', 'evil.test/.example.com', false],
    ['**.example.com', 'notexample.com', false],
    ['9.9.9.9', '9.9.9.9', true],
  ])('%s and %s: %s', (text, host, expected) => {
    const pattern = parseHostPattern(text);
    expect(pattern.ok && matchesHost(pattern.value, host)).toBe(expected);
  });
});
