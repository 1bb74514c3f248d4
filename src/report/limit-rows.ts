import { killedNote } from './killed-note.ts';
import type { Report } from './report.ts';
import { renderBytes, renderNumber, renderSeconds } from './quantities.ts';

/** One limit and what was used of it: the same rows on the terminal and in the job summary. */
export type LimitRow = { name: string; used: string; limit: string; share: number; note: string };

export function limitRows(report: Report): LimitRow[] {
  const { usage, limits, wallSeconds } = report;
  const cpuCapacitySeconds = wallSeconds * limits.cpus;
  const throttled = usage.throttledSeconds >= 0.01 ? `throttled for ${renderSeconds(usage.throttledSeconds)}` : '';
  return [
    row('time', { used: renderSeconds(wallSeconds), limit: renderSeconds(limits.wallSeconds), share: wallSeconds / limits.wallSeconds }),
    row('cpu', {
      used: renderSeconds(usage.cpuSeconds),
      limit: `${limits.cpus} ${limits.cpus === 1 ? 'cpu' : 'cpus'}`,
      share: cpuCapacitySeconds > 0 ? usage.cpuSeconds / cpuCapacitySeconds : 0,
      note: throttled,
    }),
    row('memory', {
      used: renderBytes(usage.memoryPeakBytes),
      limit: renderBytes(limits.memoryBytes),
      share: usage.memoryPeakBytes / limits.memoryBytes,
      note: killedNote(usage.oomKills),
    }),
    row('storage', {
      used: renderBytes(usage.storagePeakBytes),
      limit: renderBytes(limits.storageBytes),
      share: usage.storagePeakBytes / limits.storageBytes,
      note: [usage.filesFull ? 'had no room for more files' : usage.storageFull ? 'was full' : '', usage.storageEnforcement === 'watchdog' ? 'watched, not a hard cap' : ''].filter((note) => note !== '').join(', '),
    }),
    row('pids', {
      used: renderNumber(usage.pidsPeak),
      limit: renderNumber(limits.pids),
      share: usage.pidsPeak / limits.pids,
      note: usage.pidsRefused > 0 ? `refused ${renderNumber(usage.pidsRefused)} more` : '',
    }),
  ];
}

function row(name: string, values: Omit<LimitRow, 'name' | 'note'> & { note?: string }): LimitRow {
  return { name, note: '', ...values };
}
