import { describe, expect, test } from 'vitest';
import { parseCpuV1, parseMemoryV1, parsePidsV1 } from '../../src/usage/parse-cgroup-v1.ts';
import { parseCpuV2, parseMemoryV2, parsePidsV2 } from '../../src/usage/parse-cgroup-v2.ts';
import { parseDockerStats } from '../../src/usage/parse-docker-stats.ts';

describe('cgroup v2', () => {
  const stat = 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n';
  const throttling = 'nr_periods 40\nnr_throttled 7\nthrottled_usec 350000\nnr_bursts 0\nburst_usec 0\n';

  test('cpu.stat is in microseconds', () => {
    expect(parseCpuV2({ stat: stat + throttling })).toEqual({ cpuSeconds: 2.5, cpuUserSeconds: 2, cpuSystemSeconds: 0.5, throttledSeconds: 0.35 });
  });
  test('without the cpu controller there is no throttling', () => {
    expect(parseCpuV2({ stat })?.throttledSeconds).toBe(0);
  });
  test('newer kernels add keys', () => {
    expect(parseCpuV2({ stat: `${stat}nice_usec 0\ncore_sched.force_idle_usec 0\n${throttling}` })?.throttledSeconds).toBe(0.35);
  });

  const events = 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n';
  test.each([
    { case: 'Linux 5.19 and later', files: { current: '1048576\n', peak: '4194304\n', events }, memoryPeakBytes: 4194304, oomKills: 2 },
    { case: 'before 5.19: no memory.peak', files: { current: '1048576\n', peak: null, events }, memoryPeakBytes: 1048576, oomKills: 2 },
    { case: 'no memory.events', files: { current: '1048576\n', peak: '4194304\n', events: null }, memoryPeakBytes: 4194304, oomKills: 0 },
  ])('memory, $case', ({ files, memoryPeakBytes, oomKills }) => {
    expect(parseMemoryV2(files)).toEqual({ memoryBytes: 1048576, memoryPeakBytes, oomKills });
  });
  test.each([
    { peak: '19\n', events: 'max 7\n', pidsPeak: 19, pidsRefused: 7 },
    { peak: null, events: null, pidsPeak: null, pidsRefused: 0 },
    { peak: 'max\n', events: 'max 0\n', pidsPeak: null, pidsRefused: 0 },
  ])('pids.peak $peak, pids.events $events', ({ peak, events: pidsEvents, pidsPeak, pidsRefused }) => {
    expect(parsePidsV2({ current: '3\n', peak, events: pidsEvents })).toEqual({ pids: 3, pidsPeak, pidsRefused });
  });
  test.each([null, '', 'garbage', '-1', '1.5', '12 34'])('a file that is not one (%j) is no reading', (text) => {
    expect([parseCpuV2({ stat: text }), parseMemoryV2({ current: text, peak: '1', events: null }), parsePidsV2({ current: text, peak: '1', events: null })]).toEqual([null, null, null]);
  });
});

describe('cgroup v1', () => {
  test('cpuacct.usage is exact and in nanoseconds; user and system are scaled to it', () => {
    const files = { usage: '8000000000\n', acctStat: 'user 750\nsystem 250\n', stat: 'nr_periods 2\nnr_throttled 1\nthrottled_time 5663734\nnr_bursts 0\nburst_time 0\n' };
    expect(parseCpuV1(files)).toEqual({ cpuSeconds: 8, cpuUserSeconds: 6, cpuSystemSeconds: 2, throttledSeconds: 0.005663734 });
  });
  test('before the first tick all is user time', () => {
    expect(parseCpuV1({ usage: '1000000\n', acctStat: 'user 0\nsystem 0\n', stat: null })).toEqual({ cpuSeconds: 0.001, cpuUserSeconds: 0.001, cpuSystemSeconds: 0, throttledSeconds: 0 });
  });
  test('memory', () => {
    const files = { usage: '569344\n', peak: '3813376\n', oomControl: 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n' };
    expect(parseMemoryV1(files)).toEqual({ memoryBytes: 569344, memoryPeakBytes: 3813376, oomKills: 1 });
    expect(parseMemoryV1({ ...files, oomControl: 'oom_kill_disable 0\nunder_oom 0\n' })?.oomKills, 'before Linux 4.13').toBe(0);
  });
  test('pids', () => {
    expect(parsePidsV1({ current: '1\n', peak: '6\n', events: 'max 2\n' })).toEqual({ pids: 1, pidsPeak: 6, pidsRefused: 2 });
    expect(parsePidsV1({ current: null, peak: null, events: null })).toBeNull();
  });
});

describe('the stats of the Docker engine', () => {
  const v1 = {
    read: '2026-01-01T00:00:07Z',
    pids_stats: { current: 2, limit: 64 },
    cpu_stats: {
      cpu_usage: { total_usage: 2_000_000_000, usage_in_kernelmode: 500_000_000, usage_in_usermode: 1_500_000_000, percpu_usage: [1, 2] },
      throttling_data: { periods: 2, throttled_periods: 1, throttled_time: 250_000_000 },
    },
    memory_stats: { usage: 4096, max_usage: 8192, limit: 268435456, stats: { cache: 1024 } },
  };
  const reading = {
    atMs: 5, cpuSeconds: 2, cpuUserSeconds: 1.5, cpuSystemSeconds: 0.5, throttledSeconds: 0.25,
    memoryBytes: 4096, memoryPeakBytes: 8192, oomKills: 0, pids: 2, pidsPeak: null, pidsRefused: 0,
  };
  test('v1', () => expect(parseDockerStats(v1, 5)).toEqual(reading));
  test('v2 has no max_usage', () => {
    expect(parseDockerStats({ ...v1, memory_stats: { usage: 4096, limit: 1, stats: { anon: 1, file: 2 } } }, 5)).toEqual({ ...reading, memoryPeakBytes: 4096 });
  });
  test.each([
    ['a container that has stopped', { read: '0001-01-01T00:00:00Z', pids_stats: {}, cpu_stats: { cpu_usage: { total_usage: 0 } }, memory_stats: {} }],
    ['null', null],
    ['a message', { message: 'No such container' }],
    ['wrong types', { cpu_stats: { cpu_usage: { total_usage: '1' } }, memory_stats: { usage: -1 } }],
    ['an array', [v1]],
  ])('%s is no reading', (_, answer) => expect(parseDockerStats(answer, 5)).toBeNull());
});
