import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ownedPrefix } from '../../owned-directory.ts';

export type CommittedFile =
  | { kind: 'file'; bytes: Buffer }
  | { kind: 'no-commit' }
  | { kind: 'no-file' }
  | { kind: 'too-large' }
  /** a clause on what stands against it */
  | { kind: 'refused'; problem: string };

export type FileOfCommit = {
  /** the directory that holds `.git` */
  repository: string;
  /** 40 or 64 hexadecimal digits */
  commit: string;
  /** names from the repository's root on */
  segments: readonly string[];
  maxBytes: number;
  /** to find git by */
  searchPath: string;
};

/**
 * Reads a file as it is in a commit, of a repository nobody trusts. Git is started in an empty repository of its own, with the other's objects and nothing else of it:
 * no configuration, hook, filter, attribute, replacement or remote of that one is looked at, and nothing is checked out or fetched. Every object is
 * held against its name, from the commit on, so that no other content can stand in for it. A link, a submodule or a directory is no file.
 */
export function readCommittedFile({ repository, commit, segments, maxBytes, searchPath }: FileOfCommit): CommittedFile {
  const objects = path.join(repository, '.git', 'objects');
  if (!isDirectory(path.join(repository, '.git')) || !isDirectory(objects)) return { kind: 'refused', problem: 'its repository has no directory `.git` of its own (it is a worktree or a submodule)' };
  const own = fs.mkdtempSync(ownedPrefix('git'));
  try {
    layOutRepository(own, { isSha256: commit.length === 64 });
    const read = (name: string, type: ObjectType) => readObject(name, { type, own, objects, searchPath, maxBytes: type === 'blob' ? maxBytes : MAX_TREE_BYTES });
    const root = read(commit, 'commit');
    if (root.kind === 'missing') return { kind: 'no-commit' };
    if (root.kind !== 'object') return { kind: 'refused', problem: root.problem };
    return followPath(/^tree ([0-9a-f]+)\n/.exec(root.bytes.toString('latin1'))?.[1] ?? '', segments, read);
  } finally {
    fs.rmSync(own, { recursive: true, force: true });
  }
}

const MAX_TREE_BYTES = 16 * 2 ** 20;
const GIT_MS = 20_000;

type ObjectType = 'commit' | 'tree' | 'blob';
type ReadObject = { kind: 'object'; bytes: Buffer } | { kind: 'missing' } | { kind: 'too-large'; problem: string } | { kind: 'failed'; problem: string };

function followPath(rootTree: string, segments: readonly string[], read: (name: string, type: ObjectType) => ReadObject): CommittedFile {
  let tree = rootTree;
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const directory = read(tree, 'tree');
    if (directory.kind !== 'object') return { kind: 'refused', problem: directory.kind === 'missing' ? 'a directory of that commit is not in the clone (a partial clone)' : directory.problem };
    const entry = findEntry(directory.bytes, { segment, nameBytes: rootTree.length / 2 });
    if (entry === null) return { kind: 'no-file' };
    if (isLast ? !entry.mode.startsWith('100') : entry.mode !== '40000') return { kind: 'refused', problem: 'in that commit it is, or lies in, a link, a submodule or a directory' };
    if (!isLast) {
      tree = entry.name;
      continue;
    }
    const blob = read(entry.name, 'blob');
    if (blob.kind === 'object') return { kind: 'file', bytes: blob.bytes };
    if (blob.kind === 'too-large') return { kind: 'too-large' };
    return { kind: 'refused', problem: blob.kind === 'missing' ? 'its content is not in the clone (a partial clone)' : blob.problem };
  }
  return { kind: 'no-file' };
}

/** A tree is `MODE NAME\0` and the bytes of an object's name, over and over (gitformat-pack(5), git-ls-tree(1)). */
function findEntry(tree: Buffer, { segment, nameBytes }: { segment: string; nameBytes: number }): { mode: string; name: string } | null {
  const wanted = Buffer.from(segment);
  for (let at = 0; at < tree.length;) {
    const space = tree.indexOf(0x20, at);
    const end = tree.indexOf(0, space);
    if (space < 0 || end < 0) return null;
    if (tree.subarray(space + 1, end).equals(wanted)) return { mode: tree.toString('latin1', at, space), name: tree.toString('hex', end + 1, end + 1 + nameBytes) };
    at = end + 1 + nameBytes;
  }
  return null;
}

type Reading = { type: ObjectType; own: string; objects: string; searchPath: string; maxBytes: number };

function readObject(name: string, { type, own, objects, searchPath, maxBytes }: Reading): ReadObject {
  const { stdout, error, status } = spawnSync('git', ['cat-file', '--batch'], {
    input: `${name}\n`, cwd: own, timeout: GIT_MS, maxBuffer: maxBytes + 1024, stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: searchPath, HOME: own, XDG_CONFIG_HOME: own, LC_ALL: 'C', GIT_DIR: own, GIT_OBJECT_DIRECTORY: objects, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1', GIT_NO_REPLACE_OBJECTS: '1', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0',
    },
  });
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOBUFS') return { kind: 'too-large', problem: `an object of that commit is larger than ${maxBytes} bytes` };
  if (code === 'ENOENT') return { kind: 'failed', problem: 'git was not found' };
  if (error !== undefined || status !== 0) return { kind: 'failed', problem: `git could not read the commit (${code ?? `exit code ${status}`})` };
  const lineEnd = stdout.indexOf(0x0a);
  const [, found, size] = /^[0-9a-f]+ ([a-z]+) (\d+)$/.exec(stdout.toString('latin1', 0, Math.max(lineEnd, 0))) ?? [];
  if (found === undefined) return { kind: 'missing' };
  const bytes = stdout.subarray(lineEnd + 1, lineEnd + 1 + Number(size));
  if (bytes.length > maxBytes) return { kind: 'too-large', problem: `an object of that commit is larger than ${maxBytes} bytes` };
  const named = createHash(name.length === 64 ? 'sha256' : 'sha1').update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
  return found === type && named === name ? { kind: 'object', bytes } : { kind: 'failed', problem: 'an object of the repository is not what its name says, so the repository was tampered with or is broken' };
}

function layOutRepository(directory: string, { isSha256 }: { isSha256: boolean }): void {
  for (const name of ['objects', 'refs']) fs.mkdirSync(path.join(directory, name));
  fs.writeFileSync(path.join(directory, 'HEAD'), 'ref: refs/heads/none\n');
  fs.writeFileSync(path.join(directory, 'config'), `[core]\n\trepositoryformatversion = ${isSha256 ? 1 : 0}\n\tbare = true\n${isSha256 ? '[extensions]\n\tobjectformat = sha256\n' : ''}`);
}

/** No link to one. */
function isDirectory(name: string): boolean {
  return fs.lstatSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}
