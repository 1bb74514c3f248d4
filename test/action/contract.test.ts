import { expect, test } from 'vitest';
import { readActionInputs } from '../../src/inputs/action-inputs.ts';
import { readActionFile } from './action-file.ts';

const action = readActionFile();

test('declares every input and output of the contract', () => {
  expect(Object.keys(action.inputs).sort()).toEqual([
    'allow', 'client-certificates', 'cpus', 'env', 'fail-on-blocked', 'foreign-credentials', 'image', 'memory', 'mode', 'pids', 'policy', 'proxy-limits', 'report-artifact', 'resolve', 'run', 'runtime', 'secrets',
    'shell', 'snapshot-from', 'snapshot-to', 'storage', 'timeout', 'user', 'volumes', 'working-directory', 'workspace',
  ]);
  expect(Object.keys(action.outputs).sort()).toEqual([
    'audit-log', 'blocked-count', 'changed-files', 'conclusion', 'cpu-seconds', 'exit-code', 'patch', 'peak-memory-bytes', 'proposed-allow', 'report',
    'wall-seconds',
  ]);
  const defaults = Object.fromEntries(Object.entries(action.inputs).flatMap(([name, input]) => (input.default === undefined ? [] : [[name, input.default]])));
  expect(defaults).toEqual({
    image: 'runner', timeout: '30m', memory: '4g', cpus: '2', storage: '10g', pids: '2048', workspace: 'copy', user: 'runner', runtime: 'runc', 'foreign-credentials': 'allow',
    mode: 'enforce', 'fail-on-blocked': 'false', 'report-artifact': 'decoy-report',
  });
  for (const [name, { description }] of Object.entries({ ...action.inputs, ...action.outputs })) expect(description, name).toMatch(/\S/);
  expect(action.branding).toEqual({ icon: 'shield', color: 'purple' });
});

test('hands every input over in the environment, where it is taken out, and none inside a script', () => {
  const run = action.runs.steps.find(({ id }) => id === 'run');
  const env = Object.fromEntries(Object.entries(run?.env ?? {}).filter(([name]) => name.startsWith('INPUT_')));
  const names = Object.keys(action.inputs).filter((name) => name !== 'report-artifact');
  expect(env).toEqual(Object.fromEntries(names.map((name) => [`INPUT_${name.toUpperCase().replaceAll('-', '_')}`, `\${{ inputs.${name} }}`])));
  for (const { run: script = '' } of action.runs.steps) expect(script).not.toContain('${{');
  const environment: Record<string, string | undefined> = { ...env };
  readActionInputs(environment);
  expect(environment, 'an input nobody reads').toEqual({});
});

test('the steps after the run always run, with no secret in their environment; actions are pinned by commit', () => {
  for (const step of action.runs.steps.slice(action.runs.steps.findIndex(({ id }) => id === 'run') + 1)) {
    expect(step.if).toMatch(/^always\(\)/);
    expect(Object.keys(step.env ?? {}).filter((name) => name.startsWith('INPUT_'))).toEqual([]);
  }
  for (const { uses } of action.runs.steps) if (uses !== undefined) expect(uses).toMatch(/^actions\/[\w/-]+@[0-9a-f]{40}$/);
});
