import { renderBytes, renderNumber, renderSeconds } from '../src/report/quantities.ts';
import type { PageData, Traffic } from '../src/report-page/page-data.ts';

/** One chart: its first column is the time, the others are its lines. `cap`: a line where the limit is. */
export type Chart = {
  title: string;
  unit: string;
  lines: readonly { name: string; colour: string; isFilled: boolean }[];
  /** each as long as the first; a gap is null */
  columns: readonly [readonly number[], ...(readonly (number | null)[])[]];
  cap: { value: number; text: string } | null;
  isBytes: boolean;
  isBars: boolean;
  format(value: number): string;
};

/** Seconds from the command's start that every chart shows. */
export function spanOf({ wallSeconds, samples, traffic }: PageData): number {
  return Math.max(wallSeconds, samples.at(-1)?.atSeconds ?? 0, traffic.fromSeconds + traffic.binSeconds * traffic.allowed.length, 0.001);
}

export function chartsOf(data: PageData): Chart[] {
  const { samples, limits, traffic } = data;
  const times = samples.map(({ atSeconds }) => atSeconds);
  const cpus = (value: number) => `${Number(value.toFixed(2))} ${value === 1 ? 'CPU' : 'CPUs'}`;
  const ofTime = { columns: times, isBars: false };
  const { binSeconds, fromSeconds, allowed, failed, blocked } = coarser(traffic);
  return [
    {
      title: 'CPU', unit: 'CPUs in use', ...ofTime, columns: [times, cpuRates(data)], isBytes: false, format: cpus,
      lines: [{ name: 'CPU', colour: '--cpu', isFilled: true }], cap: { value: limits.cpus, text: cpus(limits.cpus) },
    },
    {
      title: 'Memory', unit: 'in use', ...ofTime, columns: [times, samples.map(({ memoryBytes }) => memoryBytes)], isBytes: true, format: renderBytes,
      lines: [{ name: 'Memory', colour: '--memory', isFilled: true }], cap: { value: limits.memoryBytes, text: renderBytes(limits.memoryBytes) },
    },
    {
      title: 'Disk', unit: 'in use', ...ofTime, columns: [times, samples.map(({ storageBytes }) => storageBytes)], isBytes: true, format: renderBytes,
      lines: [{ name: 'Disk', colour: '--disk', isFilled: true }], cap: { value: limits.storageBytes, text: renderBytes(limits.storageBytes) },
    },
    {
      title: 'Requests', unit: `begun in each ${renderSeconds(binSeconds)}${data.requests === null ? ', from the readings' : ''}`, isBars: true,
      // Bars one on the other: the whole stands behind the parts.
      columns: [allowed.map((_, index) => Math.max(0, fromSeconds + (index + 0.5) * binSeconds)), sum(allowed, failed, blocked), sum(failed, blocked), blocked],
      isBytes: false, format: renderNumber,
      lines: [{ name: 'Allowed', colour: '--accent', isFilled: true }, { name: 'Failed', colour: '--warn', isFilled: true }, { name: 'Blocked', colour: '--bad', isFilled: true }], cap: null,
    },
  ];
}

const MAX_BARS = 100;

/** As many bars as can be told apart; what came before the command is left out. */
function coarser({ fromSeconds, binSeconds, ...counts }: Traffic): Traffic {
  const skipped = Math.max(0, Math.floor(-fromSeconds / binSeconds));
  const factor = Math.max(1, Math.ceil((counts.allowed.length - skipped) / MAX_BARS));
  const grouped = (series: readonly number[]) => Array.from(
    { length: Math.ceil((series.length - skipped) / factor) }, (_, bar) => series.slice(skipped + bar * factor, skipped + (bar + 1) * factor).reduce((a, b) => a + b, 0),
  );
  return { fromSeconds: fromSeconds + skipped * binSeconds, binSeconds: binSeconds * factor, allowed: grouped(counts.allowed), failed: grouped(counts.failed), blocked: grouped(counts.blocked) };
}

/** The middle of each span in which something was blocked, seconds. */
export function blockedMoments({ traffic }: PageData): number[] {
  return traffic.blocked.flatMap((count, index) => (count > 0 ? [Math.max(0, traffic.fromSeconds + (index + 0.5) * traffic.binSeconds)] : []));
}

/** Of the time between a reading and the one before it. */
function cpuRates({ samples }: PageData): number[] {
  return samples.map(({ atSeconds, cpuSeconds }, index) => {
    const before = samples[index - 1] ?? { atSeconds: 0, cpuSeconds: 0 };
    const seconds = atSeconds - before.atSeconds;
    return seconds > 0 ? Math.max(0, cpuSeconds - before.cpuSeconds) / seconds : 0;
  });
}

function sum(...series: readonly (readonly number[])[]): number[] {
  return series[0]!.map((_, index) => series.reduce((total, counts) => total + counts[index]!, 0));
}
