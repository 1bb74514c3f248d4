import { describe, expect, test, vi } from 'vitest';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { Policy, Question } from '../../src/policy/policy.ts';

describe('the remedy names the line to add', () => {
  test.each([
    [[], 'GET https://api.example.com/v1/x', 'add `api.example.com` to allow'],
    [[], 'GET http://api.example.com/', 'add `api.example.com` to allow'],
    [[], 'GET https://api.example.com:8443/', 'add `api.example.com:8443` to allow'],
    [[], 'GET http://api.example.com:8080/', 'add `api.example.com:8080` to allow'],
    [['*.example.com'], 'GET https://example.com/', 'add `example.com` to allow'],
    [['api.example.com'], 'GET https://api.example.com:8443/', 'add `api.example.com:8443` to allow'],
    [['GET api.example.com/v1/**'], 'POST https://api.example.com/v1/x', 'add `POST api.example.com/v1/**` to allow'],
    [['GET *.example.com:8443'], 'POST https://api.example.com:8443/v1/x', 'add `POST api.example.com:8443` to allow'],
    [['GET api.example.com'], 'PROPFIND https://api.example.com/', 'only a rule without methods allows this method: add `api.example.com` to allow'],
    [['GET api.example.com'], '::warning::x https://api.example.com/', 'only a rule without methods allows this method: add `api.example.com` to allow'],
    [['GET,POST api.example.com/v1/**'], 'POST https://api.example.com/v2/x', 'add `POST api.example.com/v2/**` to allow'],
    [['api.example.com/v1/**'], 'POST https://api.example.com/v2', 'add `api.example.com/v2` to allow'],
    [['api.example.com/v1/**'], 'GET https://api.example.com/', 'add `api.example.com/**` to allow'],
    [['api.example.com/v1/**'], 'GET https://api.example.com/bot123456789:abcdefghijklmnopqrstuvwxyz/send', 'add `api.example.com/**` to allow'],
    [['api.example.com/v1/**'], 'GET https://api.example.com/v1/..%2fadmin', 'the path can be read in two ways (dot segments, `//`, or an escaped `/`, `\\` or `%`): request it in its plain form, or add `api.example.com` to allow, which is any path'],
    [['api.example.com'], 'GET http://api.example.com:443/', 'plain HTTP is never allowed on port 443: use https'],
    [['api.example.com'], 'GET https://api.example.com:80/', 'HTTPS is never allowed on port 80: use port 443'],
    [['api.example.com'], 'GET http://api.example.com:53/', 'port 53 is where the sandbox asks for names: no rule can allow it'],
    [[], 'GET https://[2606:4700::1111]/', 'IPv6 addresses cannot be allowed yet: use the name of the host'],
    [['**.example.com'], 'GET https://evil test.example.com/', 'this is not a host name: no rule can allow it'],
  ])('%j, then %s', (lines, request, remedy) => {
    const question = questionOf(request);
    expect(policyOf(lines).decide(question)).toMatchObject({ allowed: false, remedy });
    const line = /add `([^`]*)` to allow/.exec(remedy)?.[1];
    if (line !== undefined) expect(policyOf([...lines, line]).decide(question)).toEqual({ allowed: true, rule: line });
  });
});

test('a verdict names the rule as it was written, or the secret', () => {
  const policy = policyOf(['  GET  API.example.com # read'], ['secret.example.com']);
  expect(policy.decide(questionOf('GET https://api.example.com/'))).toEqual({ allowed: true, rule: 'GET  API.example.com' });
  expect(policy.decide(questionOf('PUT https://secret.example.com/'))).toEqual({ allowed: true, rule: 'secret KEY' });
});

test('a raw connection is asked about before a byte of it is read: name, port and address of its rule are known to the gateway', () => {
  const policy = policyOf(['tcp://*.example.com:22', 'tcp://9.9.9.9:853']);
  expect([policy.couldAllow('git.example.com'), policy.couldReach({ host: 'git.example.com', port: 22 }), policy.couldReach({ host: 'git.example.com', port: 443 })]).toEqual([true, true, false]);
  expect([policy.ports, policy.addresses]).toEqual([[22, 80, 443, 853], ['9.9.9.9']]);
});

test.each([
  [[], 'db.example.com', 5432, 'add `tcp://db.example.com:5432` to allow'],
  [['db.example.com'], 'db.example.com', 5432, 'add `tcp://db.example.com:5432` to allow'],
  [['tcp://db.example.com:5432'], 'db.example.com', 443, 'add `tcp://db.example.com:443` to allow'],
  [['GET **.example.com:5432'], 'db.example.com', 5432, 'the rule `GET **.example.com:5432` makes `db.example.com:5432` a place of HTTP, and nothing else passes there: use another port for raw TCP'],
  [[], 'localhost', 22, '`localhost` is the sandbox itself: to reach a service of the host, give it a name such as `service.internal` in allow, and `service.internal:443:127.0.0.1:8443` in resolve'],
  [[], '2606:4700::1111', 22, 'IPv6 addresses cannot be allowed yet: use the name of the host'],
])('the remedy for a raw connection: %j, then %s:%i', (lines, host, port, remedy) => {
  expect(policyOf(lines).decideTcp({ host, port })).toMatchObject({ allowed: false, remedy });
  const line = /add `([^`]*)` to allow/.exec(remedy)?.[1];
  if (line !== undefined) expect(policyOf([...lines, line]).decideTcp({ host, port })).toEqual({ allowed: true, rule: line });
});

test('empty means nothing', () => {
  const policy = policyOf([]);
  expect(policy.decide(questionOf('GET https://example.com/'))).toMatchObject({ allowed: false, reason: 'host-not-allowed' });
  expect(policy.couldAllow('example.com')).toBe(false);
  expect(policy.couldReach({ host: 'example.com', port: 443 })).toBe(false);
  expect(policy.ports).toEqual([80, 443]);
  expect(policy.addresses).toEqual([]);
});

test.each([
  'API.example.com', 'api.example.com.', '.example.com', 'a..example.com', 'evil.test/.example.com', 'evil.test#.example.com', 'evil.test\0.example.com',
  'evil.test:443@.example.com', 'a b.example.com', 'bücher.example.com', '', '.', 'example.com', `${'a'.repeat(64)}.example.com`, `${'a.'.repeat(130)}example.com`,
])('a host that is not normalised matches no wildcard: %j', (host) => {
  for (const lines of [['*.example.com'], ['**.example.com']]) {
    const policy = policyOf(lines);
    expect(policy.decide({ scheme: 'https', host, port: 443, method: 'GET', path: '/' })).toMatchObject({ reason: 'host-not-allowed' });
    expect(policy.couldAllow(host)).toBe(false);
    expect(policy.couldReach({ host, port: 443 })).toBe(false);
  }
});

test('the gateway learns every port and address it has to listen for', () => {
  const policy = policyOf(['example.com:8443', '9.9.9.9', '9.9.9.9:22', '*.example.com:22'], ['8.8.8.8']);
  expect(policy.ports).toEqual([22, 80, 443, 8443]);
  expect(policy.addresses).toEqual(['9.9.9.9', '8.8.8.8']);
  expect(policy.couldReach({ host: 'example.com', port: 8443 })).toBe(true);
  expect(policy.couldReach({ host: 'example.com', port: 443 })).toBe(false);
  expect(policy.couldReach({ host: '8.8.8.8', port: 443 })).toBe(true);
  expect(policy.couldReach({ host: '8.8.8.8', port: 80 })).toBe(false);
});

test('a decision costs the same look-ups with 3 rules as with 10,000, and one or two more for each label', () => {
  const last = ['exact.example.com', '*.one.example.com', '**.deep.example.com'];
  const many = Array.from({ length: 9_997 }, (_, i) => [`h${i}.example.com`, `*.h${i}.example.com`, `**.h${i}.example.com/v1/**`][i % 3]!);
  const [few, full] = [policyOf(last), policyOf([...many, ...last])];
  for (const [host, lookups] of [['exact.example.com', 4], ['a.one.example.com', 5], ['a.b.c.deep.example.com', 7], ['unknown.example.com', 4], ['com', 1]] as const) {
    for (const policy of [few, full]) {
      const question = { ...questionOf('GET https://example.com/'), host };
      expect(countGets(() => policy.decide(question)), host).toBe(lookups);
    }
    expect(full.decide({ ...questionOf('GET https://example.com/'), host })).toEqual(few.decide({ ...questionOf('GET https://example.com/'), host }));
  }
});

test('a decision looks at the rules whose path begins as the request does, of ten thousand for its host', () => {
  const many = Array.from({ length: 9_999 }, (_, i) => `POST example.com/v${i}/things/*`);
  const policies = [policyOf(['POST example.com/last/**']), policyOf([...many, 'POST example.com/last/**'])] as const;
  const question = { ...questionOf('POST https://example.com/last/one') };
  const [few, full] = policies.map((policy) => countGets(() => policy.decide(question)));
  expect(full).toBe(few);
  for (const policy of policies) {
    expect(policy.decide(question)).toEqual({ allowed: true, rule: 'POST example.com/last/**' });
    expect(policy.decide({ ...question, path: '/other' })).toMatchObject({ allowed: false, reason: 'path-not-allowed' });
    expect(policy.decide({ ...question, method: 'GET' })).toMatchObject({ allowed: false, reason: 'method-not-allowed' });
  }
  expect(policies[1].decide({ ...question, path: '/v77/things/x' })).toEqual({ allowed: true, rule: 'POST example.com/v77/things/*' });
});

test('of several rules that cover a request the first is named, wherever its wildcard stands', () => {
  const policy = policyOf(['example.com/a/b', 'example.com/**/b', 'example.com/a/*', 'GET example.com']);
  const named = (path: string) => policy.decide({ ...questionOf('GET https://example.com/'), path });
  expect([named('/a/b'), named('/x/b'), named('/a/c'), named('/z')].map((verdict) => verdict.allowed && verdict.rule)).toEqual(['example.com/a/b', 'example.com/**/b', 'example.com/a/*', 'GET example.com']);
});

test('a path made for a pattern of many wildcards is judged in bounded time', () => {
  const policy = policyOf([`example.com${'/**/a*a*a*a'.repeat(12)}/b`]);
  const path = `/${'a'.repeat(40)}`.repeat(200);
  expect(policy.decide({ ...questionOf('GET https://example.com/'), path })).toMatchObject({ reason: 'path-not-allowed' });
}, 2000);

function policyOf(lines: readonly string[], boundHosts: readonly string[] = []): Policy {
  const { rules, problems } = parseRules(lines);
  expect(problems).toEqual([]);
  const hosts = boundHosts.map((host) => parseHostPattern(host)).flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
  return compilePolicy({ rules, bindings: [{ name: 'KEY', hosts }] });
}

function questionOf(request: string): Question {
  const [, method, scheme, host, port, path] = /^(\S+) (https?):\/\/(\[.*\]|[^/:]+)(?::(\d+))?(\/.*)$/.exec(request)!;
  return {
    method: method!, scheme: scheme as 'https' | 'http', host: host!.replace(/[[\]]/g, ''), path: path!,
    port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port),
  };
}

function countGets(action: () => unknown): number {
  const get = vi.spyOn(Map.prototype, 'get');
  try {
    action();
    return get.mock.calls.length;
  } finally {
    get.mockRestore();
  }
}
