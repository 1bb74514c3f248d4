import fs from 'node:fs';
import path from 'node:path';
import { rewriteGroup, rewritePasswd, type SandboxUser } from './accounts.ts';
import { cleanAptFile } from './apt-files.ts';
import { arrangeTree } from './arrange-tree.ts';
import { etcAllowlist } from './etc-allowlist.ts';
import type { TarEntry } from './pack-tree.ts';
import { hasUrlCredentials, isPrivate } from './private-content.ts';
import { writtenFiles } from './written-files.ts';

export type EtcOptions = {
  /** see networkFiles */
  hostNames?: readonly string[];
  user: SandboxUser;
  /** the host's folder; only tests have another than `/etc` */
  folder?: string;
};

/**
 * The `/etc` of a sandbox that uses the runner's own tools: the allowlisted part of the host's, without anything private,
 * and the files written anew. Needs no privileges: what a plain user may not read is left out, as is what is not world-readable,
 * neither file nor directory nor link, over 4 MiB, or beyond 64 MiB or 20 000 entries in all.
 *
 * Plain synchronous calls: for some hundred small files they are several times faster than the thread pool.
 */
export async function collectEtc(options: EtcOptions): Promise<TarEntry[]> {
  const folder = options.folder ?? '/etc';
  const collection: Collection = { folder, entries: [], bytesLeft: maxBytes };
  for (const pattern of etcAllowlist) {
    for (const name of expand(folder, pattern.split('/'))) {
      const stat = fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false });
      if (stat) collect(collection, name, stat);
    }
  }
  const shell = fs.existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';
  return arrangeTree([
    ...collection.entries,
    ...writtenFiles(options.hostNames),
    account('passwd', rewritePasswd(readText(folder, 'passwd'), { user: options.user, shell })),
    account('group', rewriteGroup(readText(folder, 'group'), { user: options.user })),
  ]);
}

type Collection = { folder: string; entries: TarEntry[]; bytesLeft: number };

const maxFileBytes = 4 * 1024 * 1024;
const maxBytes = 64 * 1024 * 1024;
const maxEntries = 20_000;

/** The existing paths a pattern stands for, relative to `folder`; no directory on the way is a link. */
function expand(folder: string, parts: readonly string[], parent = ''): string[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [parent];
  if (rest.length === 0 && !part.includes('*')) return [join(parent, part)];
  if (!part.includes('*')) return isOpenDirectory(path.join(folder, parent, part)) ? expand(folder, rest, join(parent, part)) : [];
  const pattern = new RegExp(`^${part.split('*').map((text) => text.replaceAll('.', '\\.')).join('[^/]*')}$`);
  return list(path.join(folder, parent)).map(({ name }) => name).filter((name) => pattern.test(name)).flatMap((name) =>
    rest.length > 0 && !isOpenDirectory(path.join(folder, parent, name)) ? [] : expand(folder, rest, join(parent, name)));
}

function collect(collection: Collection, name: string, kind: fs.Stats | fs.Dirent): void {
  if (collection.entries.length >= maxEntries) return;
  if (kind.isSymbolicLink()) collectLink(collection, name);
  else if (kind.isDirectory()) collectDirectory(collection, name);
  else if (kind.isFile()) collectFile(collection, name);
}

function collectDirectory(collection: Collection, name: string): void {
  if (!isOpenDirectory(`${collection.folder}/${name}`) || isPrivate(name, Buffer.alloc(0))) return;
  collection.entries.push({ name: `etc/${name}`, type: 'directory', mode: 0o755, uid: 0, gid: 0 });
  for (const child of list(`${collection.folder}/${name}`)) collect(collection, join(name, child.name), child);
}

/** A link is kept as text; what it points at in the sandbox is the sandbox's. One out of the system's own folders would name things of the host. */
function collectLink(collection: Collection, name: string): void {
  const target = attempt(() => fs.readlinkSync(`${collection.folder}/${name}`));
  if (target === null || target.includes('\ufffd')) return;
  const absolute = path.posix.resolve('/etc', path.posix.dirname(name), target);
  if (!/^\/(etc|usr|lib(32|64|x32)?|bin|sbin|opt)(\/|$)/.test(absolute)) return;
  collection.entries.push({ name: `etc/${name}`, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target });
}

function collectFile(collection: Collection, name: string): void {
  const file = readOpenFile(`${collection.folder}/${name}`, Math.min(maxFileBytes, collection.bytesLeft));
  if (!file || isPrivate(name, file.content)) return;
  const content = name.startsWith('apt/') ? cleanAptFile(name, file.content) : file.content;
  if (!content || (!name.startsWith('apt/') && hasUrlCredentials(content.toString('latin1')))) return;
  collection.bytesLeft -= content.length;
  collection.entries.push({ name: `etc/${name}`, type: 'file', mode: file.executable ? 0o755 : 0o644, uid: 0, gid: 0, content });
}

/** Opens first and asks then, without following a link or waiting for a pipe's writer: what was checked is what is read. */
function readOpenFile(file: string, maxSize: number): { content: Buffer; executable: boolean } | null {
  const descriptor = attempt(() => fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK));
  if (descriptor === null) return null;
  try {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile() || (stat.mode & 0o004) === 0 || stat.size > maxSize) return null;
    return { content: readExactly(descriptor, stat.size), executable: (stat.mode & 0o001) !== 0 };
  } catch {
    return null;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** No more than the size that was checked, should the file be growing. */
function readExactly(descriptor: number, size: number): Buffer {
  const content = Buffer.alloc(size);
  let length = 0;
  for (let read = -1; read !== 0 && length < size; length += read) read = fs.readSync(descriptor, content, length, size - length, length);
  return content.subarray(0, length);
}

function isOpenDirectory(directory: string): boolean {
  const stat = fs.lstatSync(directory, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && (stat.mode & 0o005) === 0o005;
}

/** Sorted, so that the same entries are left out where there are too many. */
function list(directory: string): fs.Dirent[] {
  return attempt(() => fs.readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) ?? [];
}

function readText(folder: string, name: string): string {
  return readOpenFile(path.join(folder, name), maxFileBytes)?.content.toString('utf8') ?? '';
}

function account(name: string, content: string): TarEntry {
  return { name: `etc/${name}`, type: 'file', mode: 0o644, uid: 0, gid: 0, content };
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
