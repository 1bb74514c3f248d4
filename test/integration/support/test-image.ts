import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { packTree, type TarEntry } from '../../../src/sandbox/runner-files/pack-tree.ts';
import { arrangeTree } from '../../../src/sandbox/runner-files/arrange-tree.ts';
import { docker } from '../guest-image.ts';
import { probes } from './workspace.ts';

/** An image of the machine's engine, made without any base image. */
export type TestImage = AsyncDisposable & {
  /** a tag nothing else has */
  reference: string;
  id: string;
};

export type TestImageOptions = {
  entries: readonly TarEntry[];
  /** lines of a Dockerfile: `docker import --change` */
  changes?: readonly string[];
  /** instead of a fresh one */
  reference?: string;
};

/** Imports the entries as an image. By force it goes even where a failed test left a container. */
export function openTestImage({ entries, changes = [], reference = `decoy-test-${randomBytes(6).toString('hex')}:1` }: TestImageOptions): TestImage {
  const options = changes.flatMap((change) => ['--change', change]);
  const id = execFileSync('docker', ['import', ...options, '-', reference], { input: packTree(arrangeTree(entries)), encoding: 'utf8' }).trim();
  return {
    reference,
    id,
    [Symbol.asyncDispose]: async () => void await docker(['rmi', '-f', reference]),
  };
}

/** A shell and the usual small programs in one static file, with a link for each. */
export function busybox(...programs: readonly string[]): TarEntry[] {
  const content = readFileSync(['/bin/busybox', '/usr/bin/busybox'].find(existsSync) as string);
  return [
    { name: 'bin/busybox', type: 'file', mode: 0o755, uid: 0, gid: 0, content },
    ...programs.map((name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: 'busybox' })),
  ];
}

/** A Go program of the probes, static: it needs nothing of an image but itself. */
export async function goProgram(probe: string, target: string): Promise<TarEntry> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'decoy-go-'));
  try {
    await promisify(execFile)('go', ['build', '-o', path.join(folder, 'out'), path.join(probes, probe)], {
      cwd: folder, env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off', GOFLAGS: '' },
    });
    return { name: target, type: 'file', mode: 0o755, uid: 0, gid: 0, content: readFileSync(path.join(folder, 'out')) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function file(name: string, content: string, mode = 0o644): TarEntry {
  return { name, type: 'file', mode, uid: 0, gid: 0, content };
}

export function directory(name: string, { mode = 0o755, uid = 0, gid = 0 } = {}): TarEntry {
  return { name, type: 'directory', mode, uid, gid };
}

export function link(name: string, target: string): TarEntry {
  return { name, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target };
}
