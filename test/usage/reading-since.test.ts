import { expect, test } from 'vitest';
import { readingSince } from '../../src/usage/reading-since.ts';
import type { CounterReading } from '../../src/usage/usage.ts';

const idle: CounterReading = {
  atMs: 0, cpuSeconds: 0.05, cpuUserSeconds: 0.02, cpuSystemSeconds: 0.03, throttledSeconds: 0.4,
  memoryBytes: 1000, memoryPeakBytes: 5000, oomKills: 0, pids: 5, pidsPeak: 15, pidsRefused: 0,
};

test('the time is what was used since, and everything else what it is now', () => {
  const later: CounterReading = { ...idle, atMs: 20, cpuSeconds: 0.3, cpuUserSeconds: 0.22, cpuSystemSeconds: 0.08, throttledSeconds: 0.5, memoryBytes: 9000, memoryPeakBytes: 9500, pids: 7, pidsRefused: 1 };
  const since = readingSince(idle, later);
  expect(since).toEqual({ ...later, cpuSeconds: 0.25, cpuUserSeconds: expect.closeTo(0.2, 9), cpuSystemSeconds: expect.closeTo(0.05, 9), throttledSeconds: expect.closeTo(0.1, 9) });
});

test.each([
  ['user time fell', { cpuSeconds: 0.06, cpuUserSeconds: 0.01, cpuSystemSeconds: 0.05 }, [0.01, 0, 0.01]],
  ['system time fell', { cpuSeconds: 0.06, cpuUserSeconds: 0.05, cpuSystemSeconds: 0.01 }, [0.01, 0.01, 0]],
  ['the container has stopped, whose engine says zeros', { cpuSeconds: 0, cpuUserSeconds: 0, cpuSystemSeconds: 0, throttledSeconds: 0 }, [0, 0, 0]],
])('nothing is less than nothing, and the parts add up: %s', (_, later, [total, user, system]) => {
  const since = readingSince(idle, { ...idle, ...later });
  expect([since.cpuSeconds, since.cpuUserSeconds, since.cpuSystemSeconds]).toEqual([total, user, system].map((seconds) => expect.closeTo(seconds!, 9)));
  expect(since.throttledSeconds).toBe(0);
});
