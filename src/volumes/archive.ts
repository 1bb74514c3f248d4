import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

export type ArchiveOptions = {
  archive: string;
  /** the user's directory of volumes */
  directory: string;
  names: readonly string[];
};

/**
 * Packs volumes into one file that is as large as what is in them: holes are left out, and come back as holes.
 * @throws Error where `tar` cannot
 */
export async function packVolumes({ archive, directory, names }: ArchiveOptions): Promise<void> {
  await fs.mkdir(path.dirname(archive), { recursive: true, mode: 0o700 });
  await tar(['--create', '--sparse', '--format=gnu', `--file=${archive}`, '--', ...names.map(member)], directory);
}

/**
 * Unpacks volumes, all or none, and of the archive nothing but them. Where there is no archive there is nothing to do.
 * @returns whether there was one
 */
export async function unpackVolumes({ archive, directory, names }: ArchiveOptions): Promise<boolean> {
  if (await fs.stat(archive).catch(() => null) === null) return false;
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const unpacked = await fs.mkdtemp(`${directory}-`);
  try {
    await tar(['--extract', '--sparse', '--no-same-owner', '--no-same-permissions', `--file=${archive}`, '--', ...names.map(member)], unpacked);
    for (const name of names) {
      if (!(await fs.lstat(path.join(unpacked, name))).isDirectory() || !(await fs.lstat(path.join(unpacked, member(name)))).isFile()) throw new Error(`${member(name)} is not a file`);
    }
    for (const name of names) {
      await fs.mkdir(path.join(directory, name), { recursive: true, mode: 0o700 });
      await fs.rename(path.join(unpacked, member(name)), path.join(directory, member(name)));
    }
    return true;
  } finally {
    await fs.rm(unpacked, { recursive: true, force: true });
  }
}

function member(name: string): string {
  return `${name}/disk`;
}

/** The environment may hold real values; tar's own options could come from it, too. */
async function tar(args: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)('tar', [...args], { cwd, env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' } });
}
