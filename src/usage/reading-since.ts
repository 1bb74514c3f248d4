import type { CounterReading } from './usage.ts';

/**
 * The later reading with the CPU time and the throttling since the earlier one. What is not a sum over time stays as it is: memory, and the kernel's high-water marks,
 * which cannot be set back. User and system time add up to the total, though each is an estimate (`shareCpuSeconds`) and may have fallen.
 */
export function readingSince(earlier: CounterReading, later: CounterReading): CounterReading {
  const cpuSeconds = Math.max(0, later.cpuSeconds - earlier.cpuSeconds);
  const cpuUserSeconds = Math.min(cpuSeconds, Math.max(0, later.cpuUserSeconds - earlier.cpuUserSeconds));
  return {
    ...later, cpuSeconds, cpuUserSeconds, cpuSystemSeconds: cpuSeconds - cpuUserSeconds,
    throttledSeconds: Math.max(0, later.throttledSeconds - earlier.throttledSeconds),
  };
}
