import type { Traffic } from './page-data.ts';

export type TrafficBins = {
  add(atSeconds: number, counts: Partial<Record<'allowed' | 'blocked' | 'failed', number>>): void;
  traffic(): Traffic;
};

const MAX_BINS = 480;
const FIRST_BIN_SECONDS = 0.05;

/** Counts requests over time in constant memory: whenever the bins do not reach, they are made twice as wide. */
export function createTrafficBins(): TrafficBins {
  let binSeconds = FIRST_BIN_SECONDS;
  let bins: Traffic = { fromSeconds: 0, binSeconds, allowed: [], blocked: [], failed: [] };
  return {
    add(atSeconds, counts) {
      const at = Math.max(0, atSeconds);
      while (at / binSeconds >= MAX_BINS) {
        binSeconds *= 2;
        bins = { fromSeconds: 0, binSeconds, allowed: halved(bins.allowed), blocked: halved(bins.blocked), failed: halved(bins.failed) };
      }
      const index = Math.floor(at / binSeconds);
      while (bins.allowed.length <= index) for (const series of [bins.allowed, bins.blocked, bins.failed]) series.push(0);
      for (const name of ['allowed', 'blocked', 'failed'] as const) bins[name][index]! += counts[name] ?? 0;
    },
    traffic: () => bins,
  };
}

function halved(counts: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(counts.length / 2) }, (_, index) => counts[2 * index]! + (counts[2 * index + 1] ?? 0));
}
