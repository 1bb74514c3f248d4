import fs from 'node:fs/promises';
import { parentsOf, type ChangedEntry } from './changed-entry.ts';
import { judgeEntries } from './judge-entries.ts';
import { locateIn, planChanges, type Locate } from './plan-changes.ts';

export type Written = { ok: true } | { ok: false; problem: string };

/** Of the things that are wrong, told one by one. */
const TOLD = 3;

/**
 * Does in the workspace what the sandbox did in its copy: all of it or nothing. Refused is what leads out of the workspace, what git or
 * GitHub would execute, and what does not go into the workspace as it is now. No program runs for it, and no git.
 * @returns in place of throwing, one sentence on why the workspace was left as it was, or, should the file system fail in the middle, that it was not
 */
export async function writeChanges(entries: readonly ChangedEntry[], { workspacePath, runId }: { workspacePath: string; runId: string }): Promise<Written> {
  const locate = locateIn(workspacePath);
  const faults = judgeEntries(entries);
  if (faults.length === 0) faults.push(...await planChanges(entries, locate).catch((error: Error) => [error.message]));
  if (faults.length > 0) return { ok: false, problem: refusal(faults) };
  const stage = `.decoy-changes-${runId}`;
  let begun = false;
  try {
    await stageAll(entries, { locate, stage });
    begun = true;
    await removeAll(entries, locate);
    await placeAll(entries, { locate, stage });
    return { ok: true };
  } catch (error) {
    const { message } = error as Error;
    return { ok: false, problem: begun ? `the changes are in the workspace only in part, since the file system failed: ${message}` : `the changes were not written to the workspace: ${message}` };
  } finally {
    await fs.rm(locate(stage).toString(), { recursive: true, force: true }).catch(() => {});
  }
}

function refusal(faults: readonly string[]): string {
  const more = faults.length > TOLD ? `, and ${faults.length - TOLD} more` : '';
  return `the changes were not written to the workspace: ${faults.slice(0, TOLD).join('; ')}${more}. Use \`workspace: copy\`, look at the patch and apply what you want of it`;
}

type Staging = { locate: Locate; stage: string };

/** Whatever fails for want of space or rights fails here, where nothing was touched yet. */
async function stageAll(entries: readonly ChangedEntry[], { locate, stage }: Staging): Promise<void> {
  await fs.mkdir(locate(stage), { mode: 0o700 });
  const owner = await ownerFor(locate('.'));
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'removed') continue;
    const staged = locate(`${stage}/${index}`);
    if (entry.kind === 'link') await fs.symlink(entry.target, staged);
    else await stageFile(entry, { staged, there: locate(entry.path) });
    if (owner !== null) await fs.lchown(staged, owner.uid, owner.gid);
  }
}

/** As root, Decoy writes for whoever owns the workspace. */
async function ownerFor(workspace: Buffer): Promise<{ uid: number; gid: number } | null> {
  return process.getuid?.() === 0 ? await fs.stat(workspace) : null;
}

async function stageFile({ executable, content }: Extract<ChangedEntry, { kind: 'file' }>, { staged, there }: { staged: Buffer; there: Buffer }): Promise<void> {
  await fs.writeFile(staged, content, { flag: 'wx', mode: executable ? 0o777 : 0o666 });
  const before = await fs.lstat(there).catch(() => null);
  if (before === null || !before.isFile()) return;
  // Who may read it stays; who may execute it follows git's one bit.
  const readers = before.mode & 0o666;
  await fs.chmod(staged, executable ? readers | ((readers & 0o444) >> 2) : readers);
}

async function removeAll(entries: readonly ChangedEntry[], locate: Locate): Promise<void> {
  const removed = entries.flatMap(({ kind, path }) => (kind === 'removed' ? [path] : []));
  for (const path of removed) await fs.unlink(locate(path)).catch(ignoreAbsent);
  const emptied = new Set(removed.flatMap(parentsOf));
  // The deepest first; git keeps no empty directories either.
  for (const path of [...emptied].sort((a, b) => b.length - a.length)) await fs.rmdir(locate(path)).catch(() => {});
}

async function placeAll(entries: readonly ChangedEntry[], { locate, stage }: Staging): Promise<void> {
  const owner = await ownerFor(locate('.'));
  for (const [index, entry] of entries.entries()) {
    if (entry.kind === 'removed') continue;
    for (const parent of parentsOf(entry.path)) {
      const isNew = await fs.mkdir(locate(parent)).then(() => true, (error: NodeJS.ErrnoException) => (error.code === 'EEXIST' ? false : Promise.reject(error)));
      if (isNew && owner !== null) await fs.lchown(locate(parent), owner.uid, owner.gid);
    }
    // A directory that all was removed from may still have empty ones in it.
    await removeEmptyTree(locate, entry.path);
    await fs.rename(locate(`${stage}/${index}`), locate(entry.path));
  }
}

async function removeEmptyTree(locate: Locate, path: string): Promise<void> {
  const stats = await fs.lstat(locate(path)).catch(() => null);
  if (stats === null || !stats.isDirectory()) return;
  for (const name of await fs.readdir(locate(path), { encoding: 'latin1' })) await removeEmptyTree(locate, `${path}/${name}`);
  await fs.rmdir(locate(path));
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
