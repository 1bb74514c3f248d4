import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { checkPrivate } from '../volumes/check-private.ts';

/** What is known of a snapshot outside the engine. `digest`: the engine's ID of exactly these files. */
export type SnapshotRecord = { name: string; scope: string; digest: string; image: string; savedAt: string };

/** The first scope that has the name counts. @returns null where none has it */
export async function readRecord(directory: string, { scopes, name }: { scopes: readonly string[]; name: string }): Promise<SnapshotRecord | null> {
  if (await fs.lstat(directory).catch(() => null) === null) return null;
  await check(directory);
  for (const scope of scopes) {
    const text = await fs.readFile(fileOf(directory, { scope, name }), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text !== null) return JSON.parse(text) as SnapshotRecord;
  }
  return null;
}

/** Takes the place of one of that name and scope at once. */
export async function writeRecord(directory: string, record: SnapshotRecord): Promise<void> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  await check(directory);
  const file = fileOf(directory, record);
  const begun = `${file}.${process.pid}`;
  await fs.writeFile(begun, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await fs.rename(begun, file);
}

export async function listRecords(directory: string): Promise<SnapshotRecord[]> {
  const names = await fs.readdir(directory).catch(() => []);
  const texts = await Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => fs.readFile(path.join(directory, name), 'utf8')));
  return texts.map((text) => JSON.parse(text) as SnapshotRecord).sort((a, b) => (`${a.name} ${a.scope}` < `${b.name} ${b.scope}` ? -1 : 1));
}

export async function removeRecord(directory: string, record: Pick<SnapshotRecord, 'scope' | 'name'>): Promise<void> {
  await fs.rm(fileOf(directory, record), { force: true });
}

/** The tag that keeps the engine from taking a snapshot's image for an unused one; nothing is ever looked up by it. */
export function snapshotTag(directory: string, { scope, name }: Pick<SnapshotRecord, 'scope' | 'name'>): string {
  return `${digestOf([directory, scope])}-${name}`;
}

function fileOf(directory: string, { scope, name }: Pick<SnapshotRecord, 'scope' | 'name'>): string {
  return path.join(directory, `${digestOf([scope])}-${name}.json`);
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function check(directory: string): Promise<void> {
  return checkPrivate(directory, { input: 'snapshot-from, snapshot-to', variable: 'DECOY_SNAPSHOTS' });
}
