import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** What users run: the committed bundle, or another build of it in $DECOY_DIST. */
const program = path.join(process.env['DECOY_DIST'] ?? path.resolve(import.meta.dirname, '../../dist'), 'cli.js');

export type CliEnd = { exitCode: number | null; stdout: string; lines: string[] };

/** Runs the command line where it needs no engine: with one that is not there, so that nothing can be started. `lines` are those of stderr. */
export function runCli(args: readonly string[], { cwd = os.tmpdir(), env = {} }: { cwd?: string; env?: Record<string, string> } = {}): CliEnd {
  return ended(spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd, env: { ...environment, ...env }, timeout: 30_000 }));
}

/** The same from a directory that is deleted before Decoy starts. */
export function runCliInDeletedDirectory(args: readonly string[]): CliEnd {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'deleted-'));
  return ended(spawnSync('sh', ['-c', 'rmdir "$PWD" && exec "$0" "$@"', process.execPath, program, ...args], { encoding: 'utf8', cwd, env: environment, timeout: 30_000 }));
}

const environment = { PATH: process.env['PATH'] ?? '', HOME: os.homedir(), DOCKER_HOST: 'unix:///nonexistent' };

function ended({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): CliEnd {
  return { exitCode: status, stdout, lines: stderr.split('\n').filter((line) => line !== '') };
}
