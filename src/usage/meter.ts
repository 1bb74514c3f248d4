import type { Reading, ResourceUsage, Sample } from './usage.ts';

/** Turns readings into what the report says, in constant memory however long the run. */
export type Meter = {
  /** Readings are added in order of time. `traffic` is what the ledger counts so far, for the timeline. @returns its point on that */
  add(reading: Reading, traffic?: Traffic): Sample;
  usage(): ResourceUsage;
  /** At most 600, evenly thinned by readings; the first and the last reading are always among them. */
  samples(): Sample[];
};
export type Traffic = { requests: number; blocked: number };

const MAX_SAMPLES = 600;
const GIB = 2 ** 30;

export function createMeter(options: { storageEnforcement: ResourceUsage['storageEnforcement'] }): Meter {
  const totals: ResourceUsage = {
    cpuSeconds: 0, cpuUserSeconds: 0, cpuSystemSeconds: 0, throttledSeconds: 0,
    memoryPeakBytes: 0, memoryGibSeconds: 0, oomKills: 0,
    pidsPeak: 0, pidsRefused: 0, storagePeakBytes: 0, storageEnforcement: options.storageEnforcement,
  };
  const timeline = createTimeline();
  let previous: Reading | null = null;

  return {
    add(reading, traffic = { requests: 0, blocked: 0 }) {
      // The three move together, so that user and system always add up to the total. A counter that falls is one of a
      // container that has just stopped: the engine answers zeros, and what was used before stays used.
      if (reading.cpuSeconds >= totals.cpuSeconds) {
        totals.cpuSeconds = reading.cpuSeconds;
        totals.cpuUserSeconds = reading.cpuUserSeconds;
        totals.cpuSystemSeconds = reading.cpuSystemSeconds;
      }
      totals.throttledSeconds = Math.max(totals.throttledSeconds, reading.throttledSeconds);
      totals.memoryPeakBytes = Math.max(totals.memoryPeakBytes, reading.memoryPeakBytes, reading.memoryBytes);
      totals.oomKills = Math.max(totals.oomKills, reading.oomKills);
      totals.pidsPeak = Math.max(totals.pidsPeak, reading.pidsPeak ?? 0, reading.pids);
      totals.pidsRefused = Math.max(totals.pidsRefused, reading.pidsRefused);
      totals.storagePeakBytes = Math.max(totals.storagePeakBytes, reading.storageBytes ?? 0);
      if (previous !== null && reading.atMs > previous.atMs) {
        const seconds = (reading.atMs - previous.atMs) / 1000;
        totals.memoryGibSeconds += ((previous.memoryBytes + reading.memoryBytes) / 2 / GIB) * seconds;
      }
      previous = reading;
      const sample = sampleOf(reading, traffic);
      timeline.add(sample);
      return sample;
    },
    usage: () => ({ ...totals }),
    samples: () => timeline.samples(),
  };
}

function sampleOf(reading: Reading, traffic: Traffic): Sample {
  const { atMs, cpuSeconds, memoryBytes, pids, storageBytes } = reading;
  return { atSeconds: atMs / 1000, cpuSeconds, memoryBytes, pids, storageBytes, requests: traffic.requests, blocked: traffic.blocked };
}

/** Keeps every n-th sample, and doubles n whenever that fills up. */
function createTimeline(): { add(sample: Sample): void; samples(): Sample[] } {
  let kept: Sample[] = [];
  let last: Sample | null = null;
  let stride = 1;
  let count = 0;
  return {
    add(sample) {
      last = sample;
      if (count++ % stride !== 0) return;
      kept.push(sample);
      if (kept.length < MAX_SAMPLES) return;
      kept = kept.filter((_, i) => i % 2 === 0);
      stride *= 2;
    },
    samples: () => (last === null || kept.at(-1) === last ? [...kept] : [...kept, last]),
  };
}
