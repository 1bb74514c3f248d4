import fs from 'node:fs/promises';
import type Docker from 'dockerode';

export type AskedCaps = { memoryBytes: number; cpus: number; pids: number };

/**
 * Caps the engine took and left out again, as it does, with no more than a warning, where the kernel or a missing cgroup
 * controller (rootless engines without delegation) gives it no way to enforce them. One clause each, for an error; empty where all hold.
 * `swapBytes`: swap space of the machine; without any, a cap on swap is not missed.
 */
export function droppedCaps(host: Docker.HostConfig, { asked, swapBytes }: { asked: AskedCaps; swapBytes: number }): string[] {
  const dropped: string[] = [];
  if (host.Memory !== asked.memoryBytes) dropped.push('memory');
  if (host.MemorySwap !== asked.memoryBytes && swapBytes > 0) dropped.push('swap (boot with swapaccount=1, or turn swap off)');
  if (host.NanoCpus !== Math.round(asked.cpus * 1e9)) dropped.push('cpus');
  if (host.PidsLimit !== asked.pids) dropped.push('pids');
  return dropped;
}

/** Swap space of this machine in bytes (proc_meminfo(5)); taken to be there where that cannot be read. */
export async function readSwapBytes(): Promise<number> {
  const text = await fs.readFile('/proc/meminfo', 'latin1').catch(() => '');
  const kibibytes = /^SwapTotal: +([0-9]+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? Number.POSITIVE_INFINITY : Number(kibibytes) * 1024;
}
