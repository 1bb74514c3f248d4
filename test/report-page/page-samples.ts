import fs from 'node:fs';
import path from 'node:path';
import { entryOf, refusedOf, reportOf } from '../report/entries.ts';
import { createLedger } from '../../src/report/network-ledger.ts';
import { renderAuditLine } from '../../src/report/render-audit-line.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import type { Report } from '../../src/report/report.ts';
import { renderPage } from '../../src/report-page/render-page.ts';
import { createRequestLog } from '../../src/report-page/request-log.ts';

export const STARTED_MS = Date.UTC(2026, 0, 1, 12);
const HOSTS = ['registry.example.org', 'api.example.com', 'objects.example.net', 'pypi.example.org', 'telemetry.example.net'];

/** Of the entries, one in ten was blocked and one in 25 failed; they fill 40 seconds. */
export function sampleEntries(count: number): AuditEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const time = new Date(STARTED_MS + Math.floor((index / count) * 40_000) + (index * 7919) % 50).toISOString();
    const host = HOSTS[(index * 7) % 4]!;
    const path = `/v1/packages/${(index * 37) % 997}/files`;
    const shared = { id: index + 1, time, durationMs: (index * 7919) % 900 + 3 };
    if (index % 10 === 4) return refusedOf({ ...shared, durationMs: 1, host: 'telemetry.example.net', method: 'POST', path: '/collect', remedy: 'add `telemetry.example.net` to allow' });
    if (index % 25 === 8) return entryOf({ ...shared, host, path, decision: 'failed', reason: 'upstream-unreachable', remedy: `The connection to "${host}:443" broke; try again.`, status: 502 });
    return entryOf({
      ...shared, host, path, rule: `GET ${host}/**`, requestBytes: (index * 31) % 4000, responseBytes: (index * 104_729) % 3_000_000,
      secrets: host === 'api.example.com' ? [{ name: 'OPENAI_API_KEY', substitutions: 1, scrubs: index % 3 === 0 ? 1 : 0, refusals: 0 }] : [],
    });
  });
}

export function sampleReport(entries: readonly AuditEntry[], changes: Partial<Report> = {}): Report {
  const ledger = createLedger([{ name: 'OPENAI_API_KEY', hostTexts: ['api.example.com'], placeholderPrefix: 'sk-' }]);
  entries.forEach((entry) => ledger.add(entry));
  const samples = Array.from({ length: 80 }, (_, index) => ({
    atSeconds: (index + 1) / 2, cpuSeconds: 0.3 * index + Math.sin(index / 6) + 1, memoryBytes: 2 ** 30 * (1.6 + Math.sin(index / 9)), pids: 12 + index % 5,
    storageBytes: 2 ** 20 * (40 + 9 * index), requests: Math.round(entries.length * 0.9 * (index + 1) / 80), blocked: Math.round(entries.length * 0.1 * (index + 1) / 80),
  }));
  const report = reportOf({
    id: '0123456789ab', startedAt: new Date(STARTED_MS - 900).toISOString(), commandStartedAt: new Date(STARTED_MS).toISOString(), wallSeconds: 40.6, startup: { canaryMs: 21 },
    blocked: ledger.blocked(), failed: ledger.failed(), secrets: ledger.secrets(), samples, changes: { files: 3, insertions: 4, deletions: 1 },
  });
  return { ...report, usage: { ...report.usage, memoryPeakBytes: 2.6 * 2 ** 30, storagePeakBytes: 751 * 2 ** 20, network: ledger.network() }, ...changes };
}

export const samplePatch = Buffer.from(`diff --git a/src/agent.py b/src/agent.py
index 1111111..2222222 100644
--- a/src/agent.py
+++ b/src/agent.py
@@ -1,3 +1,4 @@
 import os
--- print("old")
++++ print("new")
+diff --git a/not/a-file b/not/a-file
 last
diff --git "a/caf\\303\\251 \\"x\\".txt" "b/caf\\303\\251 \\"x\\".txt"
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ "b/caf\\303\\251 \\"x\\".txt"
@@ -0,0 +1,2 @@
+one
+two
\\ No newline at end of file
diff --git a/logo.png b/logo.png
deleted file mode 100644
index 4444444..0000000
GIT binary patch
literal 0
HcmV?d00001

`);

/** The committed build's script and style, or those of another build in $DECOY_DIST. */
export function pageOf(report: Report, { entries, patch = null }: { entries: readonly AuditEntry[] | null; patch?: Buffer | null }): string {
  const dist = process.env['DECOY_DIST'] ?? path.resolve(import.meta.dirname, '../../dist');
  const log = entries === null ? null : createRequestLog({ zeroMs: STARTED_MS });
  entries?.forEach((entry) => log!.add(renderAuditLine(entry)));
  const read = (name: string) => fs.readFileSync(path.join(dist, name), 'utf8');
  return renderPage({ report, log, patch }, { script: read('report-page.js'), style: read('report-page.css') });
}
