import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readActionInputs } from '../../src/inputs/action-inputs.ts';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { actionDirectory, readActionFile } from './action-file.ts';

const action = readActionFile();

test('declares every input and output of the contract', () => {
  expect(Object.keys(action.inputs).sort()).toEqual([
    'allow', 'client-certificates', 'cpus', 'env', 'expose', 'expose-file', 'fail-on-blocked', 'foreign-credentials', 'image', 'memory', 'mode', 'pids', 'policy', 'proxy-limits', 'report-artifact', 'resolve', 'run', 'runtime', 'secrets', 'services',
    'shell', 'snapshot-from', 'snapshot-to', 'storage', 'timeout', 'user', 'volumes', 'working-directory', 'workspace',
  ]);
  expect(Object.keys(action.outputs).sort()).toEqual([
    'audit-log', 'blocked-count', 'changed-files', 'conclusion', 'cpu-seconds', 'exit-code', 'exposed', 'patch', 'peak-memory-bytes', 'proposed-allow', 'report',
    'wall-seconds',
  ]);
  const defaults = Object.fromEntries(Object.entries(action.inputs).flatMap(([name, input]) => (input.default === undefined ? [] : [[name, input.default]])));
  // Any other would arrive as if it had been given, and beat the policy file.
  expect(defaults).toEqual({ 'report-artifact': 'decoy-report' });
  for (const [name, { description }] of Object.entries({ ...action.inputs, ...action.outputs })) expect(description, name).toMatch(/\S/);
  expect(action.branding).toEqual({ icon: 'shield', color: 'purple' });
});

test('the defaults that are documented are those that hold', () => {
  const documented = Object.fromEntries(Object.entries(action.inputs).flatMap(([name, { description }]) => {
    const [, value] = /Default: `([^`]+)`$/.exec(description) ?? [];
    return value === undefined ? [] : [[name, value]];
  }));
  expect(documented).toEqual({
    image: 'runner', timeout: '30m', memory: '4g', cpus: '2', storage: '10g', pids: '2048', workspace: 'copy', user: 'runner', runtime: 'runc', 'foreign-credentials': 'allow',
    mode: 'enforce', 'fail-on-blocked': 'false',
  });
  const configOf = (inputs: Record<string, string>) => {
    const environment = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase().replaceAll('-', '_')}`, value]));
    const parsed = parseInputs(readActionInputs(environment).raw, {
      secrets: { secrets: [], problems: [] }, workspacePath: actionDirectory, homePath: '/root', machine: { cpus: 4, memoryBytes: 16 * 2 ** 30 },
    });
    return parsed.ok ? parsed.config : parsed.problems;
  };
  expect(configOf({ run: 'true', ...documented })).toEqual(configOf({ run: 'true', ...Object.fromEntries(Object.keys(documented).map((name) => [name, ''])) }));
  const readme = readFileSync(path.join(actionDirectory, 'README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| (`[^|]*) \| ([^|]*) \|/gm)].flatMap(([, names = '', values = '']) => {
    const texts = [names, values].map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!)) as [string[], string[]];
    return texts[0].map((name, index) => [name, texts[1][index]] as const);
  });
  expect(Object.fromEntries(rows)).toMatchObject(documented);
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
