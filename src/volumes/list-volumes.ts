import fs from 'node:fs/promises';
import path from 'node:path';

export type ListedVolume = {
  name: string;
  /** what it may hold, its own tables included */
  sizeBytes: number;
  /** what it takes on the host now */
  usedBytes: number;
  usedAt: Date;
  inUse: boolean;
};

const BLOCK_BYTES = 512;

/** The volumes of a directory, by name. A folder whose volume was never finished is not one. */
export async function listVolumes(directory: string): Promise<ListedVolume[]> {
  const names = await fs.readdir(directory).catch(whenMissing<string[]>([]));
  const locked = await lockedFiles();
  const found = await Promise.all(names.sort().map(async (name): Promise<ListedVolume | null> => {
    const stats = await fs.lstat(path.join(directory, name, 'disk')).catch(whenMissing(null));
    if (stats === null || !stats.isFile()) return null;
    const lock = await fs.lstat(path.join(directory, name, 'lock'), { bigint: true }).catch(whenMissing(null));
    return { name, sizeBytes: stats.size, usedBytes: stats.blocks * BLOCK_BYTES, usedAt: stats.mtime, inUse: lock !== null && locked.has(String(lock.ino)) };
  }));
  return found.filter((volume) => volume !== null);
}

/** Removes a volume and all that is in it. @returns false where there is none */
export async function removeNamedVolume(directory: string, name: string): Promise<boolean> {
  const folder = path.join(directory, name);
  const there = await fs.lstat(folder).catch(whenMissing(null));
  if (there === null) return false;
  await fs.rm(folder, { recursive: true, force: true });
  return true;
}

/** Inodes with a flock(2) on them, of any process: proc_locks(5). Not by device, whose number there some file systems have another of. */
async function lockedFiles(): Promise<Set<string>> {
  const text = await fs.readFile('/proc/locks', 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((line) => line.includes('FLOCK')).map((line) => /:(\d+) \S+ \S+$/.exec(line)?.[1] ?? ''));
}

function whenMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
