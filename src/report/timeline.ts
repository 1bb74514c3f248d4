import type { Sample } from '../usage/usage.ts';

/** The run in slices of equal length. Numbers only: nothing of it can have been written by the sandbox, though it can have been brought about. */
export type Timeline = {
  /** length of all of it */
  seconds: number;
  /** processors in use, on average over each slice */
  cpus: number[];
  /** highest reading of each slice; that of the one before where a slice has none */
  memoryBytes: number[];
  /** requests and blocked attempts begun in each slice */
  requests: number[];
};

/** Null where there are too few samples to draw anything. */
export function sliceTimeline(samples: readonly Sample[], slices: number): Timeline | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (samples.length < 3 || first === undefined || last === undefined || last.atSeconds <= 0) return null;
  const width = last.atSeconds / slices;
  const origin: Sample = { ...first, atSeconds: 0, cpuSeconds: 0, requests: 0, blocked: 0 };
  const bounds = Array.from({ length: slices + 1 }, (_, i) => at([origin, ...samples], i * width));
  const between = (pick: (sample: Totals) => number) => bounds.slice(1).map((bound, i) => Math.max(pick(bound) - pick(bounds[i]!), 0));
  const memoryBytes: number[] = [];
  for (let slice = 0; slice < slices; slice++) {
    const inside = samples.filter(({ atSeconds }) => atSeconds >= slice * width && atSeconds <= (slice + 1) * width);
    memoryBytes.push(inside.length > 0 ? Math.max(...inside.map((sample) => sample.memoryBytes)) : memoryBytes.at(-1) ?? first.memoryBytes);
  }
  const counts = steps(samples, { slices, width });
  return { seconds: last.atSeconds, cpus: between(({ cpuSeconds }) => cpuSeconds).map((seconds) => seconds / width), memoryBytes, requests: counts };
}

type Totals = { cpuSeconds: number };

/** Totals at a moment, in a straight line between the samples around it. */
function at(samples: readonly Sample[], seconds: number): Totals {
  const next = samples.findIndex(({ atSeconds }) => atSeconds >= seconds);
  const after = samples[next] ?? samples.at(-1)!;
  const before = samples[Math.max((next < 0 ? samples.length : next) - 1, 0)]!;
  const span = after.atSeconds - before.atSeconds;
  const share = span <= 0 ? 1 : Math.min(Math.max((seconds - before.atSeconds) / span, 0), 1);
  return { cpuSeconds: before.cpuSeconds + (after.cpuSeconds - before.cpuSeconds) * share };
}

/** Requests are whole: what came since the sample before belongs to the slice the sample is in. */
function steps(samples: readonly Sample[], { slices, width }: { slices: number; width: number }): number[] {
  const counts = Array.from({ length: slices }, () => 0);
  let known = 0;
  for (const { atSeconds, requests, blocked } of samples) {
    const slice = Math.min(Math.max(Math.floor(atSeconds / width), 0), slices - 1);
    counts[slice]! += Math.max(requests + blocked - known, 0);
    known = Math.max(known, requests + blocked);
  }
  return counts;
}
