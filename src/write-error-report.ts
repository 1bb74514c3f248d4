import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { buildReport } from './report/build-report.ts';
import { createLedger } from './report/network-ledger.ts';
import type { Report } from './report/report.ts';
import { createMeter } from './usage/meter.ts';

/** The report of a run that was refused before anything was started. */
export function errorReport(problems: readonly string[]): Report {
  const report = buildReport({
    id: randomBytes(6).toString('hex'), startedAt: new Date(), wallSeconds: 0, image: 'runner',
    limits: { wallSeconds: 0, memoryBytes: 0, cpus: 0, storageBytes: 0, pids: 0 },
    outcome: { kind: 'error', message: problems.join('; ') }, storageFull: false, failOnBlocked: false,
    meter: createMeter({ storageEnforcement: 'hard' }), ledger: createLedger([]), changes: { files: 0, insertions: 0, deletions: 0 },
  });
  return problems.length > 1 ? { ...report, problems: [...problems] } : report;
}

export function writeErrorReport(file: string | undefined, problems: readonly string[]): void {
  if (file !== undefined) fs.writeFileSync(file, `${JSON.stringify(errorReport(problems), null, 2)}\n`);
}
