import { expect, test } from 'vitest';
import { createMeter } from '../../src/usage/meter.ts';
import type { Reading } from '../../src/usage/usage.ts';

const GIB = 2 ** 30;
const zero: Reading = {
  atMs: 0, cpuUserSeconds: 0, cpuSystemSeconds: 0, cpuSeconds: 0, throttledSeconds: 0,
  memoryBytes: 0, memoryPeakBytes: 0, oomKills: 0, pids: 0, pidsPeak: null, pidsRefused: 0, storageBytes: null,
};
const meterOf = (readings: Partial<Reading>[]) => {
  const meter = createMeter({ storageEnforcement: 'hard' });
  for (const reading of readings) meter.add({ ...zero, ...reading });
  return meter;
};

test('memory over time is trapezoidal, by the clock of the readings', () => {
  const meter = meterOf([{ atMs: 0, memoryBytes: 0 }, { atMs: 2000, memoryBytes: 2 * GIB }, { atMs: 6000, memoryBytes: 2 * GIB }]);
  expect(meter.usage().memoryGibSeconds).toBeCloseTo(2 + 8);
});

test('peaks are the highest of readings and kernel marks', () => {
  const usage = meterOf([
    { atMs: 0, memoryBytes: 5, memoryPeakBytes: 9, pids: 2, pidsPeak: 6, pidsRefused: 3, storageBytes: 100 },
    { atMs: 1, memoryBytes: 12, memoryPeakBytes: 0, pids: 8, pidsPeak: null, storageBytes: 70 },
    { atMs: 2, memoryBytes: 1, pids: 1, storageBytes: null },
  ]).usage();
  expect(usage).toMatchObject({ memoryPeakBytes: 12, pidsPeak: 8, pidsRefused: 3, storagePeakBytes: 100 });
});

test('what was used stays used when a stopped container reads zero', () => {
  const usage = meterOf([
    { atMs: 0, cpuSeconds: 3, cpuUserSeconds: 2, cpuSystemSeconds: 1, throttledSeconds: 1, oomKills: 1 },
    { atMs: 1 },
  ]).usage();
  expect(usage).toMatchObject({ cpuSeconds: 3, cpuUserSeconds: 2, cpuSystemSeconds: 1, throttledSeconds: 1, oomKills: 1 });
});

test('readings out of order add nothing twice', () => {
  const usage = meterOf([{ atMs: 1000, memoryBytes: GIB }, { atMs: 1000, memoryBytes: GIB }, { atMs: 500, memoryBytes: GIB }]).usage();
  expect(usage.memoryGibSeconds).toBe(0);
});

test('no reading at all is a usage of zero', () => {
  const meter = meterOf([]);
  expect(meter.samples()).toEqual([]);
  expect(meter.usage()).toEqual({
    cpuSeconds: 0, cpuUserSeconds: 0, cpuSystemSeconds: 0, throttledSeconds: 0, memoryPeakBytes: 0, memoryGibSeconds: 0,
    oomKills: 0, pidsPeak: 0, pidsRefused: 0, storagePeakBytes: 0, storageEnforcement: 'hard',
  });
});

test.each([1, 2, 599, 600, 601, 1199, 1200, 1201, 7200, 18_000])('of %i readings at most 600 samples are kept, evenly, first and last included', (count) => {
  const samples = meterOf(Array.from({ length: count }, (_, i) => ({ atMs: i * 1000 }))).samples();
  const at = samples.map((sample) => sample.atSeconds);
  expect(samples.length).toBeLessThanOrEqual(600);
  expect(samples.length).toBeGreaterThanOrEqual(Math.min(count, 300));
  expect([at[0], at.at(-1)]).toEqual([0, count - 1]);
  const steps = at.slice(1, -1).map((seconds, i) => seconds - at[i]!);
  expect(new Set(steps).size).toBeLessThanOrEqual(1);
});

test('a sample carries the traffic so far', () => {
  const meter = createMeter({ storageEnforcement: 'watchdog' });
  meter.add({ ...zero, atMs: 1500, cpuSeconds: 1, memoryBytes: 2, pids: 3, storageBytes: 4 }, { requests: 5, blocked: 6 });
  expect(meter.samples()).toEqual([{ atSeconds: 1.5, cpuSeconds: 1, memoryBytes: 2, pids: 3, storageBytes: 4, requests: 5, blocked: 6 }]);
});
