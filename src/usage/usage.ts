/** One reading of the sandbox's counters. All counters are cumulative since the command began; high-water marks of the kernel are since the sandbox started. */
export type Reading = {
  /** milliseconds since the command began */
  atMs: number;
  cpuUserSeconds: number;
  cpuSystemSeconds: number;
  cpuSeconds: number;
  throttledSeconds: number;
  /**
   * everything the memory cap counts: anonymous memory, page cache and kernel memory. Page cache is reclaimed before the
   * cap kills anything, so a sandbox that only reads large files may stand at its cap in good health.
   */
  memoryBytes: number;
  /** the kernel's own high-water mark where it keeps one, else the highest reading */
  memoryPeakBytes: number;
  oomKills: number;
  pids: number;
  /** the kernel's own high-water mark where it keeps one (cgroup v2 on new kernels), else null */
  pidsPeak: number | null;
  /** forks that the cap on processes refused; 0 where the kernel's count cannot be read */
  pidsRefused: number;
  /** bytes in use on the sandbox's disk, or null where no reading could be had */
  storageBytes: number | null;
};

/** What the kernel or the engine can tell of a sandbox: a reading without its disk, which is measured elsewhere. */
export type CounterReading = Omit<Reading, 'storageBytes'>;

export type ResourceUsage = {
  cpuSeconds: number;
  cpuUserSeconds: number;
  cpuSystemSeconds: number;
  throttledSeconds: number;
  /** page cache included */
  memoryPeakBytes: number;
  /** integral of memory over time, trapezoidal between readings */
  memoryGibSeconds: number;
  oomKills: number;
  /** processes and threads, the 13 or 14 threads of Decoy's own first process included */
  pidsPeak: number;
  /** forks that the cap on processes refused; 0 also where Decoy cannot read the kernel's counters and asks the engine, which does not tell */
  pidsRefused: number;
  /** the highest reading: what was written and removed between two does not show */
  storagePeakBytes: number;
  storageEnforcement: 'hard' | 'watchdog';
};

/** One point of the report's timeline; at most 600 are kept, thinned evenly on long runs. */
export type Sample = {
  atSeconds: number; cpuSeconds: number; memoryBytes: number; pids: number; storageBytes: number | null;
  requests: number; blocked: number;
};
