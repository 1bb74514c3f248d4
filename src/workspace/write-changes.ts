import fs from 'node:fs/promises';
import path from 'node:path';
import { quote } from '../policy/quote.ts';
import { parentsOf, readable, type ChangedEntry } from './changed-entry.ts';
import { findRepositories } from './find-repositories.ts';
import { judgeEntries, STAGE_PREFIX } from './judge-entries.ts';
import { kindOf, locateIn, planChanges, type Locate } from './plan-changes.ts';

export type Written = { ok: true } | { ok: false; problem: string };

/** Of the things that are wrong, told one by one. */
const TOLD = 3;

/**
 * Does in the workspace what the sandbox did in its copy: all of it or nothing. Refused is what leads out of the workspace, what git or
 * GitHub would execute, and what does not go into the workspace as it is now. No program runs for it, and no git.
 * @returns in place of throwing, one sentence on why the workspace was left as it was, or, should the file system fail in the middle, that it was not
 */
export async function writeChanges(entries: readonly ChangedEntry[], { workspacePath }: { workspacePath: string }): Promise<Written> {
  const locate = locateIn(workspacePath);
  const faults = judgeEntries(entries);
  if (faults.length === 0) faults.push(...await lookAround(entries, locate).catch((error: Error) => [error.message]));
  if (faults.length > 0) return { ok: false, problem: refusal(faults) };
  let stage: string | null = null;
  let begun = false;
  try {
    // A name that nobody knew while the sandbox was there.
    stage = path.basename(await fs.mkdtemp(path.join(workspacePath, STAGE_PREFIX)));
    const staging = { locate, stage, owner: await ownerFor(locate('.')) };
    await stageFiles(entries, staging);
    begun = true;
    await removeAll(entries, locate);
    await placeAll(entries, staging);
    return { ok: true };
  } catch (error) {
    const { message } = error as Error;
    return { ok: false, problem: begun ? `the changes are in the workspace only in part, since the file system failed: ${message}` : `the changes were not written to the workspace: ${message}` };
  } finally {
    if (stage !== null) await fs.rm(path.join(workspacePath, stage), { recursive: true, force: true }).catch(() => {});
  }
}

async function lookAround(entries: readonly ChangedEntry[], locate: Locate): Promise<string[]> {
  return [...await planChanges(entries, locate), ...await findRepositories(entries, locate)];
}

function refusal(faults: readonly string[]): string {
  const more = faults.length > TOLD ? `, and ${faults.length - TOLD} more` : '';
  return `the changes were not written to the workspace: ${faults.slice(0, TOLD).join('; ')}${more}. Use \`workspace: copy\`, look at the patch and apply what you want of it`;
}

type Owner = { uid: number; gid: number };
type Staging = { locate: Locate; stage: string; owner: Owner | null };

/** Whatever fails for want of space or rights fails here, where nothing was touched yet. */
async function stageFiles(entries: readonly ChangedEntry[], { locate, stage, owner }: Staging): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'file') continue;
    const staged = locate(`${stage}/${index}`);
    await stageFile(entry, { staged, there: locate(entry.path) });
    if (owner !== null) await fs.lchown(staged, owner.uid, owner.gid);
  }
}

/** As root, Decoy writes for whoever owns the workspace. */
async function ownerFor(workspace: Buffer): Promise<Owner | null> {
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
  const removed = entries.flatMap((entry) => (entry.kind === 'removed' ? [entry.path] : []));
  for (const name of removed) await fs.unlink(locate(name)).catch(ignoreAbsent);
  const emptied = new Set(removed.flatMap(parentsOf));
  // The deepest first; git keeps no empty directories either.
  for (const name of [...emptied].sort((a, b) => b.length - a.length)) await fs.rmdir(locate(name)).catch(() => {});
}

/** Links come last, and no parent may be one: nothing is written through what the sandbox made. */
async function placeAll(entries: readonly ChangedEntry[], { locate, stage, owner }: Staging): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'file') continue;
    await makeRoom(entry.path, { locate, owner });
    await fs.rename(locate(`${stage}/${index}`), locate(entry.path));
  }
  for (const entry of entries) {
    if (entry.kind !== 'link') continue;
    await makeRoom(entry.path, { locate, owner });
    await fs.unlink(locate(entry.path)).catch(ignoreAbsent);
    await fs.symlink(entry.target, locate(entry.path));
    if (owner !== null) await fs.lchown(locate(entry.path), owner.uid, owner.gid);
  }
}

/** Makes the directories on the way; one that all was removed from, in the very place, may still have empty ones in it. */
async function makeRoom(name: string, { locate, owner }: Pick<Staging, 'locate' | 'owner'>): Promise<void> {
  for (const parent of parentsOf(name)) {
    const kind = await kindOf(locate(parent));
    if (kind === 'other') throw new Error(`${quote(readable(parent))} is no directory`);
    if (kind === 'directory') continue;
    await fs.mkdir(locate(parent));
    if (owner !== null) await fs.lchown(locate(parent), owner.uid, owner.gid);
  }
  await removeEmptyTree(locate, name);
}

async function removeEmptyTree(locate: Locate, name: string): Promise<void> {
  if (await kindOf(locate(name)) !== 'directory') return;
  for (const child of await fs.readdir(locate(name), { encoding: 'latin1' })) await removeEmptyTree(locate, `${name}/${child}`);
  await fs.rmdir(locate(name));
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
