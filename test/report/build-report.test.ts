import { expect, test } from 'vitest';
import { buildReport, type ReportParts } from '../../src/report/build-report.ts';
import { createLedger } from '../../src/report/network-ledger.ts';
import { createMeter } from '../../src/usage/meter.ts';
import { entryOf, refusedOf, reportOf } from './entries.ts';

const partsOf = (changes: Partial<ReportParts> = {}): ReportParts => ({
  id: 'r1', startedAt: new Date('2026-01-01T00:00:00Z'), wallSeconds: 2, image: 'runner', limits: reportOf().limits,
  outcome: { kind: 'exited', exitCode: 0 }, storageFull: false, failOnBlocked: false,
  meter: createMeter({ storageEnforcement: 'hard' }), ledger: createLedger([]), changes: { files: 0, insertions: 0, deletions: 0 }, ...changes,
});

test('what failed at an upstream is in it where something did', () => {
  const ledger = createLedger([]);
  ledger.add(entryOf({ decision: 'failed', reason: 'upstream-tls' }));
  expect(buildReport(partsOf({ ledger }))).toMatchObject({ blocked: [], failed: [{ host: 'api.example.com', reason: 'upstream-tls', count: 1 }] });
});

test('a report of version 1 has exactly the fields of the contract', () => {
  const report = buildReport(partsOf());
  expect(Object.keys(report)).toEqual(['version', 'id', 'conclusion', 'exitCode', 'startedAt', 'wallSeconds', 'image', 'limits', 'usage', 'secrets', 'blocked', 'requests', 'samples', 'changes']);
  expect(Object.keys(report.usage)).toEqual(['cpuSeconds', 'cpuUserSeconds', 'cpuSystemSeconds', 'throttledSeconds', 'memoryPeakBytes', 'memoryGibSeconds', 'oomKills', 'pidsPeak', 'pidsRefused', 'storagePeakBytes', 'storageEnforcement', 'network']);
  expect(report).toMatchObject({ version: 1, conclusion: 'success', startedAt: '2026-01-01T00:00:00.000Z' });
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test('in observe mode it says so, and what would have been blocked', () => {
  const ledger = createLedger([]);
  ledger.add(entryOf({ rule: 'mode: observe', reason: 'host-not-allowed' }));
  ledger.add(entryOf({ rule: 'mode: observe', reason: 'name-not-allowed', protocol: 'dns', port: null, method: null, path: null }));
  expect(buildReport(partsOf({ ledger, mode: 'observe' }))).toMatchObject({ mode: 'observe', blocked: [], observed: [{ host: 'api.example.com', count: 1 }], requests: [{ method: 'GET', path: '/v1', count: 1 }] });
  expect(buildReport(partsOf({ ledger }))).not.toHaveProperty('mode');
});

test('what the start-up canary took is in it where one held', () => {
  expect(buildReport(partsOf({ canaryMs: 21.4499 }))).toMatchObject({ startup: { canaryMs: 21.4 } });
  expect(buildReport(partsOf({ canaryMs: null }))).not.toHaveProperty('startup');
});

test('an error is named, and nothing else has that field', () => {
  expect(buildReport(partsOf({ outcome: { kind: 'error', message: 'no engine' } }))).toMatchObject({ conclusion: 'error', exitCode: 125, error: 'no engine' });
});

test("an OOM kill that only the engine saw counts: the sandbox's first process took the counters with it", () => {
  const report = buildReport(partsOf({ outcome: { kind: 'exited', exitCode: 137 }, engineSawOom: true }));
  expect(report).toMatchObject({ conclusion: 'oom', exitCode: 137, usage: { oomKills: 1 } });
});

test('what was blocked fails the run if it is to', () => {
  const ledger = createLedger([]);
  ledger.add(refusedOf());
  expect(buildReport(partsOf({ ledger, failOnBlocked: true }))).toMatchObject({ conclusion: 'blocked', exitCode: 1, blocked: [{ host: 'api.example.com' }] });
});
