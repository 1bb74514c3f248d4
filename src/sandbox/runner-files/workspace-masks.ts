import fs from 'node:fs/promises';
import path from 'node:path';
import type { TarEntry } from './pack-tree.ts';

/** Sections of a git configuration that hold credentials or lead to files that do: http.*.extraheader is where actions/checkout keeps its token. */
const CREDENTIAL_SECTION = /^\s*\[\s*(http|credential|include|includeif)\b/i;
const SECTION = /^\s*\[/;

/** The workspace's git configuration without credentials; laid over the real one in the sandbox's copy. Nothing where there is none. */
export async function workspaceMasks(workspacePath: string, user: { uid: number; gid: number }): Promise<TarEntry[]> {
  const directory = path.join(workspacePath, '.git');
  const [stats, text] = await Promise.all([
    fs.lstat(directory).catch(() => null),
    fs.readFile(path.join(directory, 'config'), 'utf8').catch(() => null),
  ]);
  if (!stats?.isDirectory() || text === null) return [];
  const clean = withoutCredentials(text);
  if (clean === text) return [];
  return [
    { name: 'workspace/upper/.git', type: 'directory', mode: stats.mode & 0o7777, ...user },
    { name: 'workspace/upper/.git/config', type: 'file', mode: 0o644, ...user, content: Buffer.from(clean) },
  ];
}

/** Drops whole sections that can hold credentials, and the user information of URLs. */
export function withoutCredentials(config: string): string {
  let dropping = false;
  const kept = config.split('\n').filter((line) => {
    if (SECTION.test(line)) dropping = CREDENTIAL_SECTION.test(line);
    return !dropping;
  });
  return kept.join('\n').replace(/(\w+:\/\/)[^/@\s"]+@/g, '$1');
}
