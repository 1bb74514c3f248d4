import { parseFlatKeyed } from './flat-keyed.ts';
import { parseSingleValue } from './single-value.ts';
import type { CpuCounters, MemoryCounters, PidsCounters } from './counters.ts';

const MICROSECONDS = 1e6;

/**
 * `cpu.stat`, in microseconds. `usage_usec`, `user_usec` and `system_usec` are there even where the cpu controller is off;
 * `throttled_usec` only where it is on. Null where the text is not a cpu.stat.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
 */
export function parseCpuV2(files: { stat: string | null }): CpuCounters | null {
  const stat = parseFlatKeyed(files.stat ?? '');
  const usage = stat.get('usage_usec');
  if (usage === undefined) return null;
  return {
    cpuSeconds: usage / MICROSECONDS,
    cpuUserSeconds: (stat.get('user_usec') ?? usage) / MICROSECONDS,
    cpuSystemSeconds: (stat.get('system_usec') ?? 0) / MICROSECONDS,
    throttledSeconds: (stat.get('throttled_usec') ?? 0) / MICROSECONDS,
  };
}

/**
 * `memory.current` is what `memory.max` caps, page cache and kernel memory included. `memory.peak` is absent before Linux 5.19.
 * `memory.events` is read rather than `memory.events.local`: it also counts kills in cgroups below, where a sandbox that runs
 * an init system or containers of its own keeps its processes. `oom_kill` counts processes killed by any OOM killer, the
 * host's as well as the cap's. Null where the text is not a memory.current.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 */
export function parseMemoryV2(files: { current: string | null; peak: string | null; events: string | null }): MemoryCounters | null {
  const memoryBytes = parseSingleValue(files.current);
  if (memoryBytes === null) return null;
  return {
    memoryBytes,
    memoryPeakBytes: Math.max(memoryBytes, parseSingleValue(files.peak) ?? 0),
    oomKills: parseFlatKeyed(files.events ?? '').get('oom_kill') ?? 0,
  };
}

/**
 * `pids.current` counts threads, in this cgroup and below. `pids.peak` is absent before Linux 6.1; it includes the threads
 * of the container runtime while it set the container up (runc: 6 for a container of one process). `max` of `pids.events` counts the
 * forks that were refused.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#pid-interface-files
 */
export function parsePidsV2(files: { current: string | null; peak: string | null; events: string | null }): PidsCounters | null {
  const pids = parseSingleValue(files.current);
  return pids === null ? null : { pids, pidsPeak: parseSingleValue(files.peak), pidsRefused: parseFlatKeyed(files.events ?? '').get('max') ?? 0 };
}
