import { parseDockerStats } from '../usage/parse-docker-stats.ts';
import { readingSince } from '../usage/reading-since.ts';
import type { CounterReading } from '../usage/usage.ts';
import { openCgroup } from './cgroup-reader.ts';

/** What a sandbox has used since its counters were opened. */
export type Counters = AsyncDisposable & {
  /** `atMs` is milliseconds since the command began. Null once the sandbox is gone. */
  read(atMs: number): Promise<CounterReading | null>;
};

/**
 * Counts from now on: the processor time before is that of the runtime and of Decoy's own init, which a container's cgroup counts, too, and the command's
 * cap does not bound. `readEngineStats`: for where the kernel's counters cannot be read. Never throws.
 */
export async function openCounters({ pid, containerId, readEngineStats }: { pid: number; containerId: string; readEngineStats(): Promise<unknown> }): Promise<Counters> {
  const cgroup = await openCgroup(pid, { containerId });
  const readAll = async (atMs: number) => (cgroup === null ? parseDockerStats(await readEngineStats(), atMs) : cgroup.read(atMs));
  const origin = await readAll(0);
  return {
    read: async (atMs) => {
      const reading = await readAll(atMs);
      return reading === null || origin === null ? reading : readingSince(origin, reading);
    },
    [Symbol.asyncDispose]: async () => cgroup?.[Symbol.asyncDispose](),
  };
}
