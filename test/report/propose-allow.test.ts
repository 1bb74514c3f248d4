import { expect, test } from 'vitest';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import { createLedger } from '../../src/report/network-ledger.ts';
import { proposeAllow } from '../../src/report/propose-allow.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { dnsRefusal, entryOf, hostileTexts, refusedOf } from './entries.ts';

const linesFor = (entries: readonly AuditEntry[]): string[] => {
  const ledger = createLedger([]);
  for (const entry of entries) ledger.add(entry);
  return proposeAllow(ledger.refusals());
};
const method = (name: string, path: string): AuditEntry => refusedOf({ reason: 'method-not-allowed', method: name, path });
const path = (text: string): AuditEntry => refusedOf({ reason: 'path-not-allowed', path: text });

test.each<[string, AuditEntry[], string[]]>([
  ['a refused host', [refusedOf()], ['api.example.com']],
  ['a refused name', [dnsRefusal('npm.example.com', 0)], ['npm.example.com']],
  ['name, https and plain http of one host', [dnsRefusal('api.example.com', 0), refusedOf(), refusedOf({ protocol: 'http', port: 80 })], ['api.example.com']],
  ['another port', [refusedOf({ reason: 'port-not-allowed', port: 8443 })], ['api.example.com:8443']],
  ['two ports', [refusedOf(), refusedOf({ reason: 'port-not-allowed', port: 8443 })], ['api.example.com', 'api.example.com:8443']],
  ['only port 443 of a host', [refusedOf({ reason: 'port-not-allowed' })], ['api.example.com:443']],
  ['only port 80 of a host', [refusedOf({ reason: 'port-not-allowed', protocol: 'http', port: 80 })], ['api.example.com:80']],
  ['two hosts', [refusedOf({ host: 'b.test' }), refusedOf({ host: 'a.test' })], ['a.test', 'b.test']],
  ['a public address', [refusedOf({ host: '93.184.215.14' })], ['93.184.215.14']],
  ['a method', [method('POST', '/v1/chat')], ['POST api.example.com/v1/chat']],
  ['two methods of one path', [method('PUT', '/v1/a'), method('POST', '/v1/a')], ['POST,PUT api.example.com/v1/a']],
  ['a method no rule can name', [method('PROPFIND', '/v1/a')], ['api.example.com/v1/a']],
  ['a path', [path('/v1/a')], ['GET api.example.com/v1/a']],
  ['two paths', [path('/v1/a/x'), path('/v1/b')], ['GET api.example.com/v1/**']],
  ['a path and what is below it', [path('/v1/a'), path('/v1/a/b')], ['GET api.example.com/v1/**']],
  ['paths with nothing in common', [path('/a'), path('/b')], ['GET api.example.com']],
  ['more paths than are kept', Array.from({ length: 50 }, (_, i) => path(`/v1/${i}`)), ['api.example.com']],
  ['a path with a secret in it', [path('/bot[KEY]/send')], ['GET api.example.com']],
  ['a path that can be read in two ways', [path('/a/../b')], ['GET api.example.com']],
  ['a host wins over its paths', [path('/a'), refusedOf()], ['api.example.com']],
  ['what observe mode let through', [entryOf({ reason: 'host-not-allowed' })], ['api.example.com']],
  ['what was allowed', [entryOf()], []],
  ['misuse of a secret', [refusedOf({ reason: 'placeholder-wrong-host' }), refusedOf({ reason: 'real-secret-leaving' }), refusedOf({ reason: 'placeholder-wrong-place' })], []],
  ['what the rules refused, and would have taken a secret along', [method('POST', '/v1/a'), refusedOf({ reason: 'method-not-allowed', method: 'PUT', secrets: [{ name: 'K', substitutions: 0, scrubs: 0, refusals: 1 }] })], ['POST api.example.com/v1/a']],
  ['a private address behind a name', [refusedOf({ reason: 'private-address' })], []],
  ['a private address by number', ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fe80::1', '::ffff:10.0.0.1'].map((host) => refusedOf({ host })), []],
  ['a broken connection', [refusedOf({ reason: 'sni-mismatch' }), refusedOf({ reason: 'bad-request' }), refusedOf({ reason: 'upstream-tls' })], []],
  ['a name without a dot', [dnsRefusal('redis', 0)], []],
  ['plain HTTP on 443', [refusedOf({ protocol: 'http', port: 443, reason: 'port-not-allowed' })], []],
  ['the DNS port', [refusedOf({ port: 53, reason: 'port-not-allowed' })], []],
  ['raw TCP', [refusedOf({ protocol: 'tcp', port: 5432, method: null, path: null })], []],
])('%s', (_, entries, lines) => expect(linesFor(entries)).toEqual(lines));

test('plain HTTP to a host a secret is bound to is for the client to mend', () => {
  const ledger = createLedger([]);
  for (const entry of [refusedOf({ reason: 'port-not-allowed', protocol: 'http', port: 80 }), refusedOf({ reason: 'port-not-allowed', port: 8443 })]) ledger.add(entry);
  const bindings = [{ name: 'KEY', hosts: [{ kind: 'one-label' as const, name: 'example.com' }] }];
  expect(proposeAllow(ledger.refusals(), { bindings })).toEqual(['api.example.com:8443']);
});

test('every line parses as a rule, and allows what it was proposed for', () => {
  const entries = [
    refusedOf(), refusedOf({ host: 'b.test', port: 8443, reason: 'port-not-allowed' }), refusedOf({ host: 'c.test', protocol: 'http', port: 80 }),
    ...['/v1/a', '/v1/b/c', '/v1/b/'].map((text) => refusedOf({ host: 'd.test', reason: 'path-not-allowed', path: text })),
    ...['/x/1', '/x/1/2'].map((text) => refusedOf({ host: 'e.test', reason: 'method-not-allowed', method: 'DELETE', path: text })),
    refusedOf({ host: 'f.test', reason: 'path-not-allowed', path: '/' }), refusedOf({ host: 'g.test', reason: 'path-not-allowed', path: '/%41b' }),
    refusedOf({ host: 'xn--bcher-kva.example' }),
  ];
  const { rules, problems } = parseRules(linesFor(entries));
  expect(problems).toEqual([]);
  const policy = compilePolicy({ rules, bindings: [] });
  for (const entry of entries) {
    const question = { scheme: entry.protocol as 'https' | 'http', host: entry.host, port: entry.port!, method: entry.method!, path: entry.path! };
    expect(policy.decide(question), JSON.stringify(question)).toMatchObject({ allowed: true });
  }
});

test('hostile hosts and paths make no line, or one that parses', () => {
  expect(linesFor(hostileTexts.filter((text) => text !== 'www.evil.test').map((host) => refusedOf({ host })))).toEqual([]);
  const lines = linesFor(hostileTexts.map((text, i) => refusedOf({ host: `h${i}.test`, reason: 'path-not-allowed', path: `/${text}` })));
  expect(lines).toHaveLength(hostileTexts.length);
  expect(parseRules(lines)).toMatchObject({ problems: [], rules: { length: hostileTexts.length } });
  for (const line of lines) expect(line).toMatch(/^GET h\d+\.test(\/[\x21-\x7e]*)?$/);
});
