import { expect, test } from 'vitest';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { observePolicy } from '../../src/policy/observe-policy.ts';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { HostPattern } from '../../src/policy/policy.ts';

const { rules } = parseRules(['GET listed.test/a', 'listed.test:8443', 'tcp://db.test:5432', 'tcp://db.test:8443']);
const hosts = [(parseHostPattern('api.test') as { value: HostPattern }).value];
const enforced = compilePolicy({ rules, bindings: [{ name: 'KEY', hosts }] });
const policy = observePolicy(enforced, { rules });
const https = { scheme: 'https', port: 443, method: 'GET', path: '/' } as const;

test('what some rule could permit is let through with what would have refused it; what rules or bindings permit is as it was', () => {
  expect(policy.decide({ ...https, host: 'listed.test', path: '/a' })).toEqual({ allowed: true, rule: 'GET listed.test/a' });
  expect(policy.decide({ ...https, host: 'api.test' })).toEqual({ allowed: true, rule: 'secret KEY' });
  expect(policy.decide({ ...https, host: 'listed.test', method: 'POST', path: '/a' })).toMatchObject({ allowed: true, rule: 'mode: observe', observed: { reason: 'method-not-allowed' } });
  expect(policy.decide({ ...https, host: 'other.test' })).toMatchObject({ allowed: true, observed: { reason: 'host-not-allowed' } });
  expect(policy.couldAllow('other.test')).toBe(true);
  expect(policy.couldReach({ host: 'other.test', port: 443 })).toBe(true);
  expect(policy.ports).toEqual(enforced.ports);
});

test('what no rule can permit is refused still', () => {
  for (const question of [{ ...https, scheme: 'http' as const }, { ...https, port: 80 }, { ...https, port: 53 }]) expect(policy.decide({ ...question, host: 'other.test' })).toMatchObject({ allowed: false });
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '::1', 'no name']) {
    expect(policy.decide({ ...https, host }), host).toMatchObject({ allowed: false });
    expect(policy.couldAllow(host), host).toBe(false);
    expect(policy.couldReach({ host, port: 443 }), host).toBe(false);
  }
});

test('raw is only a port that tcp rules alone name, and never where HTTP is judged', () => {
  expect(policy.decideTcp({ host: 'db.test', port: 5432 })).toEqual({ allowed: true, rule: 'tcp://db.test:5432' });
  expect(policy.decideTcp({ host: 'other.test', port: 5432 })).toMatchObject({ allowed: true, observed: { reason: 'host-not-allowed' } });
  for (const endpoint of [{ host: 'other.test', port: 443 }, { host: 'other.test', port: 8443 }, { host: 'api.test', port: 443 }, { host: 'localhost', port: 5432 }]) {
    expect(policy.decideTcp(endpoint), JSON.stringify(endpoint)).toMatchObject({ allowed: false });
  }
});
