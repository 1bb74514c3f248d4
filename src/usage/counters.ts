import type { CounterReading } from './usage.ts';

/** The three controllers a reading is made of; each may live in another hierarchy (cgroup v1, v2, or a mix of both). */
export type CpuCounters = Pick<CounterReading, 'cpuSeconds' | 'cpuUserSeconds' | 'cpuSystemSeconds' | 'throttledSeconds'>;
export type MemoryCounters = Pick<CounterReading, 'memoryBytes' | 'memoryPeakBytes' | 'oomKills'>;
export type PidsCounters = Pick<CounterReading, 'pids' | 'pidsPeak' | 'pidsRefused'>;
