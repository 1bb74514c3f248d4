import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';

export const root = path.resolve(import.meta.dirname, '../..');
export const workflowDirectory = path.join(root, '.github', 'workflows');

export type Step = { uses?: string; run?: string; with?: Record<string, unknown>; env?: Record<string, string> };
export type Job = { uses?: string; steps?: Step[]; permissions?: Record<string, string>; needs?: string | string[]; 'timeout-minutes'?: number };
export type Workflow = { on: unknown; permissions?: unknown; jobs: Record<string, Job> };

export function readWorkflows(): Record<string, Workflow> {
  return Object.fromEntries(fs.readdirSync(workflowDirectory).map((name) => [name, parse(fs.readFileSync(path.join(workflowDirectory, name), 'utf8')) as Workflow]));
}

/** Runs one of the programs that judge workflows; from where the tests' own set-up puts it, or else from PATH or where `go install` does. */
export function judge(name: 'actionlint' | 'zizmor', args: readonly string[], cwd: string): { exitCode: number | null; output: string } {
  const { error, status, stdout, stderr } = spawnSync(find(name), args, { cwd, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`${name} is not there: run scripts/prepare-machine.sh --tests, or put it on PATH`);
  return { exitCode: status, output: `${stdout}${stderr}` };
}

function find(name: string): string {
  const cache = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'decoy-tests');
  const cached = fs.existsSync(cache) ? fs.readdirSync(cache).filter((file) => file.startsWith(`${name}-`)).toSorted() : [];
  const places = [...cached.map((file) => path.join(cache, file)), ...(process.env['PATH'] ?? '').split(':').map((place) => path.join(place, name)), path.join(os.homedir(), 'go', 'bin', name)];
  return places.find((file) => fs.existsSync(file)) ?? name;
}
