/**
 * Splits an exact CPU time into user and system in the proportion of the two sampled ones. cgroup v1 charges user and system
 * a clock tick at a time, so that they rarely add up to the total, which is exact (measured: 84 ms + 20 ms of 89 ms); v2 does
 * this same scaling in the kernel (`cputime_adjust`), and both must read alike in a report. With no sample yet, all is user time.
 */
export function shareCpuSeconds(cpuSeconds: number, sampled: { user: number; system: number }): { cpuUserSeconds: number; cpuSystemSeconds: number } {
  const total = sampled.user + sampled.system;
  const cpuSystemSeconds = total > 0 ? (cpuSeconds * sampled.system) / total : 0;
  return { cpuUserSeconds: cpuSeconds - cpuSystemSeconds, cpuSystemSeconds };
}
