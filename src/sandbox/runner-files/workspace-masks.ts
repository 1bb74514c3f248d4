import fs from 'node:fs/promises';
import path from 'node:path';
import type { TarEntry } from './pack-tree.ts';

/** Sections of a git configuration that hold credentials or lead to files that do: http.*.extraheader is where actions/checkout keeps its token. */
const CREDENTIAL_SECTION = /^\s*\[\s*(http|credential|include|includeif)\b/i;
const SECTION = /^\s*\[/;

/** How deep below the workspace a clone is looked for (`path:` of actions/checkout), and in how many directories. */
const CLONE_DEPTH = 3;
const MAX_DIRECTORIES = 5_000;
/** Of a repository's own directories, those a configuration can lie in: submodules nest, worktrees have one each. */
const MODULE_DEPTH = 12;

type Owner = { uid: number; gid: number };

/**
 * The git configurations of the workspace without credentials; laid over the real ones in the sandbox's copy: those of its
 * own repository, of submodules (actions/checkout writes its token into each) and of clones up to three directories down.
 */
export async function workspaceMasks(workspacePath: string, user: Owner): Promise<TarEntry[]> {
  const found = await findConfigurations(workspacePath);
  const masks = await Promise.all(found.map((name) => mask(workspacePath, { name, user })));
  return masks.flat();
}

/** Paths below the workspace; nothing is followed through a symbolic link. */
async function findConfigurations(workspacePath: string): Promise<string[]> {
  const found: string[] = [];
  let directoriesLeft = MAX_DIRECTORIES;
  const walk = async (name: string, { depth, inGit }: { depth: number; inGit: boolean }): Promise<void> => {
    if ((directoriesLeft -= 1) < 0) return;
    const entries = await fs.readdir(path.join(workspacePath, name), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const child = path.join(name, entry.name);
      if (entry.isFile() && inGit && (entry.name === 'config' || entry.name === 'config.worktree')) found.push(child);
      if (!entry.isDirectory()) continue;
      const inModules = /(^|\/)(modules|worktrees)(\/|$)/.test(path.relative(gitDirectory(child), child));
      if (entry.name === '.git') await walk(child, { depth: MODULE_DEPTH, inGit: true });
      else if (inGit && inModules && depth > 0) await walk(child, { depth: depth - 1, inGit });
      else if (!inGit && depth > 0 && entry.name !== 'node_modules') await walk(child, { depth: depth - 1, inGit });
    }
  };
  await walk('', { depth: CLONE_DEPTH, inGit: false });
  return found;
}

/** The part of a path up to its `.git`. */
function gitDirectory(name: string): string {
  const parts = name.split('/');
  return parts.slice(0, parts.indexOf('.git') + 1).join('/');
}

/** The cleaned file and the directories on the way to it, which show in place of the real ones; nothing where there is nothing to clean. */
async function mask(workspacePath: string, { name, user }: { name: string; user: Owner }): Promise<TarEntry[]> {
  const text = await fs.readFile(path.join(workspacePath, name), 'utf8').catch(() => null);
  const clean = text === null ? null : withoutCredentials(text);
  if (clean === null || clean === text) return [];
  const parts = name.split('/');
  const directories = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
  return [
    ...await Promise.all(directories.map(async (directory): Promise<TarEntry> => ({
      name: `workspace/upper/${directory}`, type: 'directory', mode: (await fs.lstat(path.join(workspacePath, directory))).mode & 0o7777, ...user,
    }))),
    { name: `workspace/upper/${name}`, type: 'file', mode: 0o644, ...user, content: Buffer.from(clean) },
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
