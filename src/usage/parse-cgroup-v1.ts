import { parseFlatKeyed } from './flat-keyed.ts';
import { parseSingleValue } from './single-value.ts';
import { shareCpuSeconds } from './share-cpu.ts';
import type { CpuCounters, MemoryCounters, PidsCounters } from './counters.ts';

const NANOSECONDS = 1e9;

/**
 * `cpuacct.usage` is exact, in nanoseconds. `cpuacct.stat` samples user and system time in USER_HZ; only their proportion is
 * used, so USER_HZ itself need not be known. `throttled_time` of `cpu.stat`, in nanoseconds, comes from the cpu controller,
 * which may be mounted elsewhere. Null where the text is not a cpuacct.usage.
 * https://docs.kernel.org/admin-guide/cgroup-v1/cpuacct.html
 * https://docs.kernel.org/scheduler/sched-bwc.html#statistics
 */
export function parseCpuV1(files: { usage: string | null; acctStat: string | null; stat: string | null }): CpuCounters | null {
  const usage = parseSingleValue(files.usage);
  if (usage === null) return null;
  const sampled = parseFlatKeyed(files.acctStat ?? '');
  const cpuSeconds = usage / NANOSECONDS;
  return {
    cpuSeconds,
    ...shareCpuSeconds(cpuSeconds, { user: sampled.get('user') ?? 0, system: sampled.get('system') ?? 0 }),
    throttledSeconds: (parseFlatKeyed(files.stat ?? '').get('throttled_time') ?? 0) / NANOSECONDS,
  };
}

/**
 * `memory.usage_in_bytes` is what `memory.limit_in_bytes` caps, page cache included; `memory.max_usage_in_bytes` is its
 * high-water mark. `oom_kill` of `memory.oom_control` exists since Linux 4.13 and counts this cgroup alone, not those below:
 * v1 has no hierarchical figure. Null where the text is not a memory.usage_in_bytes.
 * https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
 */
export function parseMemoryV1(files: { usage: string | null; peak: string | null; oomControl: string | null }): MemoryCounters | null {
  const memoryBytes = parseSingleValue(files.usage);
  if (memoryBytes === null) return null;
  return {
    memoryBytes,
    memoryPeakBytes: Math.max(memoryBytes, parseSingleValue(files.peak) ?? 0),
    oomKills: parseFlatKeyed(files.oomControl ?? '').get('oom_kill') ?? 0,
  };
}

/**
 * `pids.current` counts threads, in this cgroup and below; `pids.peak` is there on v1, too, since Linux 6.1. `max` of `pids.events`
 * counts the forks that were refused (since Linux 4.8).
 * https://docs.kernel.org/admin-guide/cgroup-v1/pids.html
 */
export function parsePidsV1(files: { current: string | null; peak: string | null; events: string | null }): PidsCounters | null {
  const pids = parseSingleValue(files.current);
  return pids === null ? null : { pids, pidsPeak: parseSingleValue(files.peak), pidsRefused: parseFlatKeyed(files.events ?? '').get('max') ?? 0 };
}
