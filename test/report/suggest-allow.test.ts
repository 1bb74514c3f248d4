import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { createAskedRequests } from '../../src/report/asked-requests.ts';
import { suggestAllow, type SuggestOptions } from '../../src/report/suggest-allow.ts';
import { dnsRefusal, entryOf, refusedOf } from './entries.ts';

/** Every report gathers for itself, as every run does. */
const suggest = (reports: readonly (readonly AuditEntry[])[], options: SuggestOptions = {}) => suggestAllow(reports.flatMap((entries) => {
  const asked = createAskedRequests();
  for (const entry of entries) asked.add(entry);
  return asked.list();
}), options);
const observed = (changes: Partial<AuditEntry>) => entryOf({ rule: 'mode: observe', reason: 'host-not-allowed', ...changes });
const paths = (...texts: string[]) => texts.map((path) => entryOf({ path }));

test.each<[string, AuditEntry[], string[]]>([
  ['a request', [entryOf()], ['GET api.example.com/v1']],
  ['what observe mode let through', [observed({ method: 'POST', path: '/v1/chat' })], ['POST api.example.com/v1/chat']],
  ['what the rules refused', [refusedOf({ path: '/v1/chat' })], ['GET api.example.com/v1/chat']],
  ['methods of one path', [entryOf({ method: 'PUT' }), entryOf()], ['GET,PUT api.example.com/v1']],
  ['a method no rule can name', [entryOf({ method: 'PROPFIND' }), entryOf()], ['api.example.com/v1']],
  ['identifiers', paths('/u/3f2504e0-4f89-41d3-9a0c-0305e82c3301', '/c/cus_9s6XKzkNRiz8i3', '/d/2026-11-26', '/blobs/sha256:abcdef'), ['blobs', 'c', 'd', 'u'].map((name) => `GET api.example.com/${name}/*`)],
  ['numbers and hashes', paths('/repos/17/commits/8f3c1d2', '/repos/18/commits/0a1b2c3d4e', '/repos/18'), ['GET api.example.com/repos/*', 'GET api.example.com/repos/*/commits/*']],
  ['words that look like hashes', paths('/v1/feedback', '/v1/deadbeef'), ['GET api.example.com/v1/deadbeef', 'GET api.example.com/v1/feedback']],
  ['four names side by side', paths('/v1/a', '/v1/b', '/v1/c', '/v1/d'), ['a', 'b', 'c', 'd'].map((name) => `GET api.example.com/v1/${name}`)],
  ['five names side by side', paths('/v1/a', '/v1/b', '/v1/c', '/v1/d', '/v1/e/f', '/v1'), ['GET api.example.com/v1', 'GET api.example.com/v1/**']],
  ['many in the root', paths('/a', '/b', '/c', '/d', '/e'), ['GET api.example.com']],
  ['one method on more than another', [...paths('/v1/1', '/v1/x'), entryOf({ method: 'POST', path: '/v1/1' })], ['GET,POST api.example.com/v1/*']],
  ['a path with a secret in it', paths('/bot[KEY]/send'), ['GET api.example.com/*/send']],
  ['a path that looks like a wildcard is not taken for one', paths('/v1/**'), ['GET api.example.com/v1/*']],
  ['a path that is an expression of a workflow', paths('/v1/${{x}}'), ['GET api.example.com/v1/*']],
  ['a path that was cut', paths('/v1/long…'), ['GET api.example.com/v1/**']],
  ['a path that can be read in two ways', paths('/a/../b', '/c'), ['GET api.example.com']],
  ['plain HTTP and another port', [entryOf({ protocol: 'http', port: 80 }), entryOf({ port: 8443 })], ['GET api.example.com/v1', 'GET api.example.com:8443/v1']],
  ['a raw connection', [entryOf({ protocol: 'tcp', port: 5432, method: null, path: null })], ['tcp://api.example.com:5432']],
  ['a refused name', [dnsRefusal('npm.example.com', 0)], ['npm.example.com']],
  ['a refused name, and what was asked of it in another mode', [dnsRefusal('api.example.com', 0), entryOf()], ['GET api.example.com/v1']],
  ['a name that was answered, and nothing more', [observed({ protocol: 'dns', method: null, port: null, path: null, reason: 'name-not-allowed' })], []],
  ['misuse of a secret', [refusedOf({ reason: 'placeholder-wrong-host' }), refusedOf({ reason: 'real-secret-leaving', host: 'b.test' })], []],
  ['what the rules refused, and would have taken a secret along', [refusedOf({ reason: 'method-not-allowed', secrets: [{ name: 'K', substitutions: 0, scrubs: 0, refusals: 1 }] })], []],
  ['a refused name that only misuse followed', [dnsRefusal('evil.test', 0), refusedOf({ host: 'evil.test', reason: 'placeholder-wrong-host' })], []],
  ['a private address, a broken connection', [refusedOf({ reason: 'private-address' }), refusedOf({ reason: 'sni-mismatch' }), entryOf({ decision: 'failed', reason: 'name-does-not-resolve' })], []],
  ['an upstream that failed', [entryOf({ decision: 'failed', reason: 'upstream-unreachable' })], ['GET api.example.com/v1']],
  ['names of no public host', [refusedOf({ host: 'redis' }), refusedOf({ host: '10.0.0.1' }), observed({ host: '169.254.169.254' })], []],
  ['a private name that a rule allows', [entryOf({ host: 'registry', rule: 'registry' })], ['GET registry/v1']],
])('%s', (_, entries, lines) => expect(suggest([entries])).toEqual(lines));

test('hosts become wildcards only when asked, and never a public suffix', () => {
  const entries = ['a.cdn.example.com', 'b.example.com', 'c.example.com', 'example.com', 'a.github.io', 'b.github.io', 'c.github.io'].map((host) => entryOf({ host, path: '/x' }));
  expect(suggest([entries]).join('\n')).not.toContain('*');
  expect(suggest([entries], { wildcardHosts: true })).toEqual(['GET **.example.com/x', 'GET a.github.io/x', 'GET b.github.io/x', 'GET c.github.io/x', 'GET example.com/x']);
});

const word = fc.constantFrom('a', 'b', 'v1', 'users', 'x-y', '1', '17', '8f3c1d2e', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', '', '*', '**', '%41', '%2F', '..', 'ä', '${{x}}', '[KEY]', 'cus_9s6XKzkNRiz8i3');
const request = fc.record({
  host: fc.constantFrom('a.example.com', 'b.example.com', 'c.test', '93.184.215.14'),
  at: fc.constantFrom({ protocol: 'https', port: 443 } as const, { protocol: 'http', port: 80 } as const, { protocol: 'https', port: 8443 } as const),
  method: fc.constantFrom('GET', 'POST', 'DELETE', 'PROPFIND'),
  path: fc.array(word, { maxLength: 5 }).map((words) => `/${words.join('/')}`),
  how: fc.constantFrom({ decision: 'allowed', reason: null } as const, { decision: 'allowed', reason: 'path-not-allowed' } as const, { decision: 'blocked', reason: 'host-not-allowed' } as const, { decision: 'blocked', reason: 'method-not-allowed' } as const),
});

test('whatever was allowed, or refused by the rules, is allowed by what is suggested; no other host is; one order whatever the order', () => {
  fc.assert(fc.property(fc.array(fc.array(request, { maxLength: 80 }), { minLength: 1, maxLength: 3 }), (reports) => {
    const entries = reports.map((requests) => requests.map(({ host, at, method, path, how }) => entryOf({ host, ...at, method, path, ...how })));
    const lines = suggest(entries);
    const { rules, problems } = parseRules(lines);
    expect(problems).toEqual([]);
    const policy = compilePolicy({ rules, bindings: [] });
    for (const { host, at, method, path } of reports.flat()) {
      expect(policy.decide({ scheme: at.protocol, port: at.port, host, method, path }), `${method} ${at.protocol} ${host}:${at.port}${path}\n${lines.join('\n')}`).toMatchObject({ allowed: true });
    }
    const hosts: ReadonlySet<string> = new Set(reports.flat().map(({ host }) => host));
    for (const host of ['a.example.com', 'b.example.com', 'c.test', '93.184.215.14', 'example.com', 'x.a.example.com', 'd.example.com', '93.184.215.15']) {
      if (!hosts.has(host)) expect(policy.couldAllow(host), host).toBe(false);
    }
    expect(suggest(entries.map((each) => each.toReversed()).toReversed())).toEqual(lines);
  }), { numRuns: 300 });
});

test('misuse of a secret adds nothing, whatever else there is', () => {
  fc.assert(fc.property(fc.array(request, { maxLength: 10 }), fc.array(request, { maxLength: 10 }), (good, bad) => {
    const asked = good.map(({ host, at, method, path, how }) => entryOf({ host, ...at, method, path, ...how }));
    const misuse = bad.map(({ host, at, method, path }) => refusedOf({ host, ...at, method, path, reason: 'placeholder-wrong-host' }));
    expect(suggest([[...asked, ...misuse]])).toEqual(suggest([asked]));
  }));
});

test('a flood of paths is folded, and one of hosts is told', () => {
  const many = Array.from({ length: 5000 }, (_, index) => entryOf({ path: `/v1/items/x${index}z/y` }));
  expect(suggest([many])).toEqual(['GET api.example.com/v1/items/**']);
  const asked = createAskedRequests();
  for (let index = 0; index < 5000; index += 1) asked.add(entryOf({ host: `h${index}.test` }));
  const list = asked.list();
  expect(list).toHaveLength(2001);
  expect(list.at(-1)).toMatchObject({ host: '…other', count: 3000 });
  expect(list.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
});
