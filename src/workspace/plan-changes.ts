import fs from 'node:fs/promises';
import { quote } from '../policy/quote.ts';
import { parentsOf, readable, type ChangedEntry } from './changed-entry.ts';

/** A path below the workspace as the system takes it. */
export type Locate = (path: string) => Buffer;

export function locateIn(workspacePath: string): Locate {
  return (path) => Buffer.concat([Buffer.from(`${workspacePath}/`), Buffer.from(path, 'latin1')]);
}

/**
 * Why the changes do not go into the workspace as it is now, a clause each: it may have changed since the sandbox saw it, and it holds what
 * the changes leave out (ignored files).
 */
export async function planChanges(entries: readonly ChangedEntry[], locate: Locate): Promise<string[]> {
  const removed = new Set(entries.flatMap(({ kind, path }) => (kind === 'removed' ? [path] : [])));
  const faults = await Promise.all(entries.map((entry) => faultOf(entry, { removed, locate })));
  return [...new Set(faults.filter((fault) => fault !== null))];
}

type Circumstances = { removed: ReadonlySet<string>; locate: Locate };

async function faultOf(entry: ChangedEntry, { removed, locate }: Circumstances): Promise<string | null> {
  for (const parent of parentsOf(entry.path)) {
    const kind = await kindOf(locate(parent));
    if (kind === 'absent') break;
    if (kind === 'directory') continue;
    if (!removed.has(parent)) return `${quote(readable(parent))} is no directory there`;
    break;
  }
  if (await kindOf(locate(entry.path)) !== 'directory') return null;
  const left = entry.kind === 'removed' ? entry.path : await findKept(entry.path, { removed, locate });
  return left === null ? null : `${quote(readable(entry.path))} is a directory there, with ${quote(readable(left))} in it`;
}

/** What would be left in a directory when all that is removed is gone. */
async function findKept(path: string, { removed, locate }: Circumstances): Promise<string | null> {
  for (const name of await fs.readdir(locate(path), { encoding: 'latin1' })) {
    const child = `${path}/${name}`;
    if (removed.has(child)) continue;
    if (await kindOf(locate(child)) !== 'directory') return child;
    const kept = await findKept(child, { removed, locate });
    if (kept !== null) return kept;
  }
  return null;
}

/** Of what is there, without following a link. */
export async function kindOf(location: Buffer): Promise<'absent' | 'directory' | 'other'> {
  const stats = await fs.lstat(location).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (stats === null) return 'absent';
  return stats.isDirectory() ? 'directory' : 'other';
}
