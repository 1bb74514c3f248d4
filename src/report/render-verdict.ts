import type { Report } from './report.ts';
import { printableSentence } from './printable.ts';
import { processes } from './killed-note.ts';
import { renderBytes, renderCount, renderNumber, renderSeconds } from './quantities.ts';

/** How the run ended and, where a limit ended it or was in its way, what to change. */
export function renderVerdict(report: Report): string {
  return `${endSentence(report)}${memorySentence(report)}${storageSentence(report)}${processesSentence(report)}`;
}

/** Of a process other than the command's own, which went on without it. */
function memorySentence({ conclusion, usage: { oomKills }, limits }: Report): string {
  if (oomKills === 0 || conclusion === 'oom' || conclusion === 'error') return '';
  return ` The kernel killed ${processes(oomKills)} at the memory cap of ${renderBytes(limits.memoryBytes)}: raise memory or use less.`;
}

/** Of a command that went on where a write had failed. */
function storageSentence(report: Report): string {
  if (!report.usage.storageFull || report.conclusion === 'storage' || report.conclusion === 'error') return '';
  return ` ${fullDisk(report)}: ${storageRemedy(report)}.`;
}

function fullDisk({ usage, limits }: Report): string {
  return `The disk of ${renderBytes(limits.storageBytes)} ${usage.filesFull ? 'had no room for more files' : 'was full'}`;
}

function storageRemedy({ usage }: Report): string {
  return usage.filesFull ? 'raise storage, with which their number grows, or make fewer' : 'raise storage or write less';
}

/** No conclusion of its own: programs go on without the process they were refused, and some fail much later, and say nothing of it. */
function processesSentence({ conclusion, usage: { pidsRefused }, limits }: Report): string {
  // Reports of before it was counted do not have it.
  if (!(pidsRefused > 0) || conclusion === 'error') return '';
  return ` The cap of ${renderNumber(limits.pids)} processes and threads was reached, and ${renderCount(pidsRefused, 'start')} refused: raise pids or start fewer.`;
}

function endSentence(report: Report): string {
  const { exitCode, limits, usage } = report;
  switch (report.conclusion) {
    case 'success':
      return 'The command succeeded.';
    case 'failure':
      return `The command failed with exit code ${exitCode}.`;
    case 'timeout':
      return `Stopped at the time limit of ${renderSeconds(limits.wallSeconds)}: raise timeout (at most 30m) or do less.`;
    case 'oom':
      return `Out of memory: the kernel killed ${processes(usage.oomKills)} at the cap of ${renderBytes(limits.memoryBytes)}: raise memory or use less.`;
    case 'storage':
      return `${fullDisk(report)} and the command failed with exit code ${exitCode}: ${storageRemedy(report)}.`;
    case 'blocked':
      return `${renderCount(usage.network.blocked, 'attempt')} blocked, and fail-on-blocked is set: allow what is meant, remove what is not.`;
    case 'cancelled':
      return report.error === undefined ? `Cancelled (exit code ${exitCode}).` : `Cancelled (exit code ${exitCode}): ${printableSentence(report.error, 1000)}`;
    case 'error':
      if (report.problems !== undefined) return `${renderNumber(report.problems.length)} problems with what was given: nothing was started.`;
      return printableSentence(report.error ?? 'Decoy could not go on safely.', 1000);
  }
}
