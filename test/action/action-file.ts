import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where action.yml and the committed bundle lie. */
export const actionDirectory = process.env['DECOY_ACTION_DIRECTORY'] ?? path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

export type ActionStep = {
  id: string; if?: string; shell?: string; run?: string; uses?: string; env?: Record<string, string>; with?: Record<string, string>;
  'continue-on-error'?: boolean;
};

export type ActionFile = {
  name: string; description: string; branding: { icon: string; color: string };
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string; value: string }>;
  runs: { using: string; steps: ActionStep[] };
};

export function readActionFile(): ActionFile {
  const program = 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1], encoding="utf-8")), sys.stdout)';
  const { status, stdout, stderr } = spawnSync('python3', ['-c', program, path.join(actionDirectory, 'action.yml')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`action.yml could not be read with python3 and PyYAML: install python3-yaml\n${stderr}`);
  return JSON.parse(stdout) as ActionFile;
}
