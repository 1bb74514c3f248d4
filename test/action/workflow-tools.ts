import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const REMEDY = 'run scripts/install-workflow-tools.sh';

/** The program that scripts/install-workflow-tools.sh put there, of the version it names; a test that needs it fails without. */
export function workflowTool(name: 'act' | 'actionlint' | 'zizmor'): string {
  const given = process.env[`DECOY_${name.toUpperCase()}`];
  const directory = path.join(process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache'), 'decoy-tests');
  const file = given ?? path.join(directory, `${name}-${version(name)}`);
  if (!fs.existsSync(file)) throw new Error(`${name} is not at ${file}: ${REMEDY}`);
  return file;
}

function version(name: string): string {
  const script = fs.readFileSync(path.resolve(import.meta.dirname, '../../scripts/install-workflow-tools.sh'), 'utf8');
  const found = new RegExp(`\\b${name}=(v?[0-9.]+)`).exec(script)?.[1];
  if (found === undefined) throw new Error(`scripts/install-workflow-tools.sh names no version of ${name}`);
  return found;
}

/** Runs a tool to its end in a directory. */
export function runTool(name: 'actionlint' | 'zizmor', args: readonly string[], cwd: string): { exitCode: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(workflowTool(name), args, { cwd, encoding: 'utf8' });
  return { exitCode: status, output: `${stdout}${stderr}` };
}
