import { randomBytes } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { renderAuditLine } from '../../src/report/render-audit-line.ts';
import { describePage } from '../../src/report-page/describe-page.ts';
import type { PageData } from '../../src/report-page/page-data.ts';
import { parseReport } from '../../src/report-page/parse-report.ts';
import { readPatchFiles } from '../../src/report-page/patch-files.ts';
import { createRequestLog } from '../../src/report-page/request-log.ts';
import { createTrafficBins } from '../../src/report-page/traffic-bins.ts';
import { dnsRefusal, entryOf, exposedPorts, refusedOf, reportOf, serviceOf } from '../report/entries.ts';
import { pageOf, sampleEntries, samplePatch, sampleReport, STARTED_MS } from './page-samples.ts';

test('the patch is counted by file, and lines of a file pass for no heading', () => {
  expect(readPatchFiles(samplePatch)).toEqual({ leftOut: 0, items: [
    { path: 'src/agent.py', kind: 'modified', insertions: 2, deletions: 1, binary: false },
    { path: 'caf\u00e9 "x".txt', kind: 'added', insertions: 2, deletions: 0, binary: false },
    { path: 'logo.png', kind: 'deleted', insertions: 0, deletions: 0, binary: true },
  ] });
});

test('a patch of many files is listed to its bound', () => {
  const patch = Buffer.from(Array.from({ length: 3_000 }, (_, index) => `diff --git a/${index} b/${index}\nnew file mode 100644\n`).join(''));
  const { items, leftOut } = readPatchFiles(patch);
  expect({ items: items.length, leftOut }).toEqual({ items: 2_000, leftOut: 1_000 });
});

test('a flood of one kind of request leaves room for the others, and the page says what is left out', () => {
  const log = createRequestLog({ zeroMs: STARTED_MS });
  const at = (id: number) => ({ id, time: new Date(STARTED_MS + id).toISOString() });
  const allowed = renderAuditLine(entryOf(at(1)));
  const refused = renderAuditLine(refusedOf(at(2)));
  for (let index = 0; index < 60_000; index++) log.add(allowed);
  for (let index = 0; index < 60_000; index++) log.add(refused);
  log.add(renderAuditLine(refusedOf({ ...at(3), reason: 'real-secret-leaving' })));
  const { table, traffic } = log.read(STARTED_MS);
  expect(table).toMatchObject({ total: 120_001, leftOut: 70_001 });
  expect(table.decision.filter((decision) => decision === 1).length).toBeGreaterThanOrEqual(15_001);
  expect(table.decision.filter((decision) => decision === 0).length).toBeGreaterThanOrEqual(30_000);
  expect(table.texts).toContain('real-secret-leaving');
  expect([traffic.allowed[0], traffic.blocked[0]], 'the chart counts them all').toEqual([60_000, 60_001]);
});

test('a look-up that is answered is a row, and no request', () => {
  const log = createRequestLog({ zeroMs: STARTED_MS });
  log.add(renderAuditLine(entryOf({ protocol: 'dns', method: null, port: null, path: null, rule: null, time: new Date(STARTED_MS).toISOString() })));
  log.add(renderAuditLine(dnsRefusal('evil.example.net', 0)));
  const { table, traffic } = log.read(STARTED_MS);
  expect([table.total, traffic.allowed[0], traffic.blocked[0]]).toEqual([2, 0, 1]);
});

test('lines that are no entry are counted, and the end of a full log is told', () => {
  const log = createRequestLog({ zeroMs: STARTED_MS });
  for (const line of ['', 'x', 'null', '[]', '{"host":1}', '{"truncated":"the log ends here"}', renderAuditLine(entryOf()).slice(0, -20), renderAuditLine(entryOf())]) log.add(line);
  expect(log.read(STARTED_MS).table).toMatchObject({ total: 1, unreadable: 5, truncated: true });
});

test('the largest page there can be is bounded', () => {
  const entries = Array.from({ length: 50_000 }, (_, index) => entryOf({ id: index, time: new Date(STARTED_MS).toISOString(), host: noise(255), path: `/${noise(300)}`, method: noise(32) }));
  expect(pageOf(reportOf(), { entries }).length).toBeLessThan(40 * 2 ** 20);
});

test('times count from the command, not from the start of its preparation', () => {
  const entries = sampleEntries(10);
  const { requests, traffic } = describePage({ report: sampleReport(entries), patch: null, log: logOf(entries, STARTED_MS - 60_000) });
  expect(requests!.startMs[1]).toBe(Date.parse(entries[1]!.time) - STARTED_MS);
  expect(traffic.fromSeconds).toBe(-60);
  const [first] = traffic.allowed.flatMap((count, index) => (count > 0 ? [traffic.fromSeconds + index * traffic.binSeconds] : []));
  expect(first).toBeCloseTo(0, 0);
});

test('without an audit log the readings tell how many requests there were', () => {
  const data = describePage({ report: sampleReport(sampleEntries(100)), patch: null, log: null });
  expect(data.requests).toBe(null);
  expect(data.traffic.allowed.reduce((a, b) => a + b)).toBe(90);
  expect(data.traffic.blocked.reduce((a, b) => a + b)).toBe(10);
});

test('a report from elsewhere with any number of requests is proposed a list of those that one of Decoy\'s can have', () => {
  const requests = Array.from({ length: 5_000 }, (_, index) => ({ protocol: 'https' as const, host: `h${index}.example.com`, port: 443, method: 'GET', path: '/', count: 1 }));
  const { notes } = describePage({ report: sampleReport([], { mode: 'observe', observed: [], requests }), patch: null, log: null });
  expect(notes?.proposal.at(-1)).toBe('# and 2000 more: decoy suggest report.json');
});

test('bins stay few and lose nothing, however long the run', () => {
  const bins = createTrafficBins();
  for (let second = 0; second < 1_800; second += 0.5) bins.add(second, { allowed: 1 });
  const { allowed, binSeconds } = bins.traffic();
  expect(allowed.length).toBeLessThanOrEqual(480);
  expect(allowed.length * binSeconds).toBeGreaterThan(1_799);
  expect(allowed.reduce((a, b) => a + b)).toBe(3_600);
});

test('the data in the page are what was described', () => {
  const entries = sampleEntries(10);
  const [, base64] = /id="data">([A-Za-z0-9+/=]+)</.exec(pageOf(sampleReport(entries), { entries }))!;
  const data = JSON.parse(inflateRawSync(Buffer.from(base64!, 'base64')).toString()) as PageData;
  expect(data).toEqual(JSON.parse(JSON.stringify(describePage({ report: sampleReport(entries), patch: null, log: logOf(entries, STARTED_MS) }))));
});

test.each([
  ['{', 'is not JSON'], ['null', 'it is not an object'], ['{"version":2}', '`version` is not 1'],
  [JSON.stringify({ ...reportOf(), wallSeconds: '1' }), '`wallSeconds` is not a number'],
  [JSON.stringify({ ...reportOf(), samples: [{}] }), '`samples[0].atSeconds` is not a number'],
  [JSON.stringify({ ...reportOf(), conclusion: 'constructor' }), '`conclusion` is none there is'],
  [JSON.stringify({ ...reportOf(), startedAt: 'x' }), '`startedAt` is not a time'],
  [JSON.stringify({ ...reportOf(), mode: 'x' }), '`mode` is not `observe`'],
  [JSON.stringify({ ...reportOf(), observed: [{}] }), '`observed[0].host` is not a string'],
  [JSON.stringify({ ...reportOf(), requests: [{ protocol: 'https', host: 1 }] }), '`requests[0].host` is not a string'],
  [JSON.stringify({ ...reportOf(), problems: 'x' }), '`problems` is not a list'],
  [JSON.stringify({ ...reportOf(), commandStartedAt: 1 }), '`commandStartedAt` is not a string'],
  [JSON.stringify({ ...reportOf(), services: {} }), '`services` is not a list'],
  [JSON.stringify({ ...reportOf(), services: [{ ...serviceOf(), usage: { cpuSeconds: '1' } }] }), '`services[0].usage.cpuSeconds` is not a number'],
  [JSON.stringify({ ...reportOf(), exposed: [{ ...exposedPorts[0], url: 8080 }] }), '`exposed[0].url` is not a string'],
])('no report: %.40s', (text, problem) => {
  expect(parseReport(text)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
});

test('a report is one', () => {
  expect(parseReport(JSON.stringify(sampleReport(sampleEntries(10))))).toMatchObject({ ok: true });
  expect(parseReport(JSON.stringify(sampleReport([], { services: [serviceOf()], exposed: [...exposedPorts] })))).toMatchObject({ ok: true });
});

function logOf(entries: ReturnType<typeof sampleEntries>, zeroMs: number) {
  const log = createRequestLog({ zeroMs });
  entries.forEach((entry) => log.add(renderAuditLine(entry)));
  return log;
}

/** Text that hardly compresses. */
function noise(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length);
}
