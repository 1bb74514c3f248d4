import { shareCpuSeconds } from './share-cpu.ts';
import type { CounterReading } from './usage.ts';

const NANOSECONDS = 1e9;

/**
 * Maps the answer of `GET /containers/ID/stats?stream=false&one-shot=true` to a reading: the fallback where the cgroup files
 * cannot be read. Times are nanoseconds under cgroup v1 and v2 alike; `max_usage` exists under v1 only, so under v2 the peak is
 * the highest reading. The answer holds no count of refused forks and none of OOM kills: for these the caller takes `State.OOMKilled` of an inspect instead.
 * `usage` is taken whole, as the cap counts it (`docker stats` prints it less the inactive page cache).
 * Null for a container that is not running, whose answer is all zeros, and for anything that is not such an answer.
 * https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerStats
 */
export function parseDockerStats(answer: unknown, atMs: number): CounterReading | null {
  const cpu = field(field(answer, 'cpu_stats'), 'cpu_usage');
  const memory = field(answer, 'memory_stats');
  const total = amount(field(cpu, 'total_usage'));
  const memoryBytes = amount(field(memory, 'usage'));
  if (total === null || memoryBytes === null) return null;
  const cpuSeconds = total / NANOSECONDS;
  const throttling = field(field(answer, 'cpu_stats'), 'throttling_data');
  return {
    atMs,
    cpuSeconds,
    ...shareCpuSeconds(cpuSeconds, {
      user: amount(field(cpu, 'usage_in_usermode')) ?? 0,
      system: amount(field(cpu, 'usage_in_kernelmode')) ?? 0,
    }),
    throttledSeconds: (amount(field(throttling, 'throttled_time')) ?? 0) / NANOSECONDS,
    memoryBytes,
    memoryPeakBytes: Math.max(memoryBytes, amount(field(memory, 'max_usage')) ?? 0),
    oomKills: 0,
    pids: amount(field(field(answer, 'pids_stats'), 'current')) ?? 0,
    pidsPeak: null,
    pidsRefused: 0,
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function amount(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
