import { describe, expect, test } from 'vitest';
import { createLedger, type LedgerSecret } from '../../src/report/network-ledger.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { dnsRefusal, entryOf, refusedOf } from './entries.ts';

const key: LedgerSecret = { name: 'KEY', hostTexts: ['api.example.com'], placeholderPrefix: 'sk-' };
const ledgerOf = (entries: Iterable<AuditEntry>) => {
  const ledger = createLedger([key]);
  for (const entry of entries) ledger.add(entry);
  return ledger;
};
const dnsAnswer = entryOf({ protocol: 'dns', method: null, port: null, path: null });

describe('what counts', () => {
  test.each<{ case: string; entries: AuditEntry[]; requests: number; blocked: number }>([
    { case: 'an allowed request', entries: [entryOf()], requests: 1, blocked: 0 },
    { case: 'a request whose upstream failed', entries: [entryOf({ decision: 'failed', reason: 'upstream-unreachable' })], requests: 1, blocked: 0 },
    { case: 'a refused request', entries: [refusedOf()], requests: 0, blocked: 1 },
    { case: 'a refused connection', entries: [refusedOf({ protocol: 'tls', method: null, path: null })], requests: 0, blocked: 1 },
    { case: 'a raw connection', entries: [entryOf({ protocol: 'tcp', method: null, path: null })], requests: 1, blocked: 0 },
    { case: 'an answered DNS question', entries: [dnsAnswer], requests: 0, blocked: 0 },
    { case: 'a name that does not exist', entries: [{ ...dnsAnswer, decision: 'failed', reason: 'name-does-not-resolve' }], requests: 0, blocked: 0 },
    { case: 'a refused name', entries: [dnsRefusal('evil.test', 0)], requests: 0, blocked: 1 },
    { case: 'A and AAAA of a refused name', entries: [dnsRefusal('evil.test', 0), dnsRefusal('evil.test', 1)], requests: 0, blocked: 1 },
    { case: 'the same, tried twice at once', entries: [0, 1, 40, 41].map((at) => dnsRefusal('evil.test', at)), requests: 0, blocked: 1 },
    { case: 'a client that comes back after ten seconds', entries: [0, 1, 10_000, 10_001].map((at) => dnsRefusal('evil.test', at)), requests: 0, blocked: 2 },
    { case: 'a client that asks without end, for a minute', entries: Array.from({ length: 600 }, (_, i) => dnsRefusal('evil.test', i * 100)), requests: 0, blocked: 12 },
    { case: 'two refused names', entries: [dnsRefusal('a.test', 0), dnsRefusal('b.test', 1)], requests: 0, blocked: 2 },
    { case: 'two refused requests at once', entries: [refusedOf(), refusedOf()], requests: 0, blocked: 2 },
    { case: 'what observe mode let through', entries: [entryOf({ reason: 'host-not-allowed' })], requests: 1, blocked: 0 },
  ])('$case: $requests requests, $blocked blocked', ({ entries, requests, blocked }) => {
    const ledger = ledgerOf(entries);
    expect(ledger.counts()).toEqual({ requests, blocked });
    expect(ledger.network()).toMatchObject({ requests, blocked });
    expect(ledger.blocked().reduce((sum, group) => sum + group.count, 0)).toBe(blocked);
  });
});

test('what failed at the upstream is grouped beside what was blocked, and not among it', () => {
  const failure = { decision: 'failed', reason: 'upstream-tls', remedy: 'Trust its authority.' } as const;
  const ledger = ledgerOf([entryOf(failure), entryOf({ ...failure, method: 'POST', path: '/other' }), entryOf(), refusedOf()]);
  expect(ledger.failed()).toMatchObject([{ host: 'api.example.com', port: 443, reason: 'upstream-tls', count: 2, remedy: 'Trust its authority.' }]);
  expect(ledger.blocked()).toHaveLength(1);
});

test('hosts are sorted by requests, with their bytes and uses of secrets', () => {
  const use = { name: 'KEY', substitutions: 1, scrubs: 2, refusals: 0 };
  const { network, secrets } = ledgerOf([
    entryOf({ host: 'b.test' }), entryOf({ secrets: [use] }), entryOf({ secrets: [use, { ...use, name: 'UNKNOWN' }] }),
    refusedOf({ host: 'c.test', secrets: [{ name: 'KEY', substitutions: 0, scrubs: 0, refusals: 1 }] }),
  ]);
  expect(network()).toEqual({
    requests: 3, blocked: 1, requestBytes: 30, responseBytes: 300,
    hosts: [
      { host: 'api.example.com', requests: 2, blocked: 0, requestBytes: 20, responseBytes: 200, substitutions: 3, scrubs: 6 },
      { host: 'b.test', requests: 1, blocked: 0, requestBytes: 10, responseBytes: 100, substitutions: 0, scrubs: 0 },
      { host: 'c.test', requests: 0, blocked: 1, requestBytes: 0, responseBytes: 0, substitutions: 0, scrubs: 0 },
    ],
  });
  expect(secrets()).toEqual([{ name: 'KEY', hosts: ['api.example.com'], placeholderPrefix: 'sk-', substitutions: 2, scrubs: 4, refusals: 1 }]);
});

describe('groups of refusals', () => {
  test('a refused host is one group; method and path are named while all are the same', () => {
    const same = ledgerOf([refusedOf({ method: 'POST', path: '/a' }), refusedOf({ method: 'POST', path: '/a' })]).blocked();
    expect(same).toEqual([{ host: 'api.example.com', port: 443, method: 'POST', path: '/a', reason: 'host-not-allowed', count: 2, remedy: 'add `api.example.com` to allow' }]);
    const different = ledgerOf([refusedOf({ method: 'POST', path: '/a' }), refusedOf({ method: 'POST', path: '/b' })]).blocked();
    expect(different).toMatchObject([{ method: 'POST', path: null, count: 2 }]);
  });
  test('a refused path is a group of its own', () => {
    const reason = 'path-not-allowed';
    expect(ledgerOf([refusedOf({ reason, path: '/a' }), refusedOf({ reason, path: '/b' })]).blocked()).toMatchObject([{ path: '/a', count: 1 }, { path: '/b', count: 1 }]);
  });
  test('past 20 paths of one host they share a group, and leave room for other hosts', () => {
    const reason = 'path-not-allowed';
    const flood = Array.from({ length: 5000 }, (_, i) => refusedOf({ reason, path: `/${i}` }));
    const blocked = ledgerOf([...flood, refusedOf({ reason, host: 'other.test' })]).blocked();
    expect(blocked).toHaveLength(22);
    expect(blocked[0]).toMatchObject({ host: 'api.example.com', method: null, path: null, count: 4980 });
    expect(blocked.at(-1)).toMatchObject({ host: 'other.test', count: 1 });
  });
  test('the remedy of one path is not said to be that of others', () => {
    const reason = 'path-not-allowed';
    const flood = Array.from({ length: 30 }, (_, i) => refusedOf({ reason, path: `/${i}`, remedy: `add \`GET api.example.com/${i}\` to allow` }));
    expect(ledgerOf(flood).blocked()[0]).toMatchObject({ path: null, count: 10, remedy: 'Too many different methods and paths to list: the audit log has each one.' });
    expect(ledgerOf(flood.map((entry) => ({ ...entry, remedy: 'the same for all' }))).blocked()[0]).toMatchObject({ path: null, count: 10, remedy: 'the same for all' });
  });
  test('misuse of secrets comes first', () => {
    const entries = [refusedOf(), refusedOf(), refusedOf({ reason: 'placeholder-wrong-host' })];
    expect(ledgerOf(entries).blocked().map(({ reason }) => reason)).toEqual(['placeholder-wrong-host', 'host-not-allowed']);
  });
  test('no query and no control character is kept, whatever an entry holds', () => {
    const [group] = ledgerOf([refusedOf({ host: 'e\x1b[2J.test', path: '/a?token=hunter2', method: 'G\nT' })]).blocked();
    expect(group).toMatchObject({ host: 'e\ufffd[2J.test', path: '/a', method: 'G\ufffdT' });
  });
});

test('a million refusals of invented names cost constant memory, and hide neither traffic nor misuse of a secret', { timeout: 60_000 }, () => {
  function* flood(): Generator<AuditEntry> {
    const name = dnsRefusal('evil.test', 0);
    const request = refusedOf({ path: `/${'x'.repeat(2000)}` });
    for (let i = 0; i < 1_000_000; i++) yield { ...(i % 2 ? name : request), host: `${i}.evil.test` };
    yield refusedOf({ host: 'thief.test', reason: 'real-secret-leaving' });
    yield entryOf({ host: 'late.example.com' });
  }
  const ledger = ledgerOf(flood());
  const network = ledger.network();
  expect(ledger.counts()).toEqual({ requests: 1, blocked: 1_000_001 });
  expect(network.hosts).toHaveLength(1001);
  expect(network.hosts[0]).toMatchObject({ host: 'late.example.com', requests: 1 });
  expect(network.hosts.at(-1)).toMatchObject({ host: '…other' });
  expect(network.hosts.reduce((sum, { blocked }) => sum + blocked, 0)).toBe(1_000_001);
  const blocked = ledger.blocked();
  expect(blocked[0]).toMatchObject({ host: 'thief.test', reason: 'real-secret-leaving' });
  expect(blocked.length).toBeLessThanOrEqual(500 + 22);
  expect(blocked.filter(({ host }) => host === '…other').map(({ reason }) => reason).sort()).toEqual(['host-not-allowed', 'name-not-allowed']);
  expect(blocked.reduce((sum, { count }) => sum + count, 0)).toBe(1_000_001);
  expect(JSON.stringify([network, blocked]).length).toBeLessThan(2 ** 20);
});
