import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { footprint, runIds, settled } from './support/footprint.ts';
import { decoy, runDecoy, startDecoy } from './support/run-decoy.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I11, I13
let workspace: Workspace;
beforeAll(async () => { workspace = await openWorkspace(); });
afterAll(() => workspace[Symbol.asyncDispose]());

test.each<[string, string[], number, string, Record<string, string>?]>([
  ['success', ['--', 'true'], 0, 'success'],
  ['failure', ['--', 'sh', '-c', 'exit 42'], 42, 'failure'],
  ['a command that is not there', ['--', 'no-such-program'], 127, 'failure'],
  ['a signal', ['--', 'sh', '-c', 'kill -SEGV $$'], 139, 'failure'],
  ['a timeout', ['--timeout', '1s', '--', 'sleep', '60'], 124, 'timeout'],
  ['the whole sandbox killed for memory', ['--memory', '64m', '--', 'python3', 'probes/allocate.py', '200'], 137, 'oom'],
  ['something blocked, where that is to fail', ['--fail-on-blocked', '--', 'sh', '-c', 'curl -sS https://evil.example/; exit 0'], 1, 'blocked'],
  ['an engine that is not there', ['--', 'true'], 125, 'error', { DOCKER_HOST: 'unix:///nonexistent' }],
  ['an engine elsewhere', ['--', 'true'], 125, 'error', { DOCKER_HOST: 'tcp://127.0.0.1:1' }],
  ['a real value in an argument', ['--secret', 'KEY@api.example.test', '--', 'echo', 'a-real-value-0123'], 125, 'error', { KEY: 'a-real-value-0123' }],
  ['a secret without a value', ['--secret', 'MISSING@api.example.test', '--', 'true'], 125, 'error'],
])('%s', async (_, args, exitCode, conclusion, env = {}) => {
  const end = await runDecoy(args, { cwd: workspace.path, env });
  expect(end, end.stderr).toMatchObject({ exitCode, report: { version: 1, conclusion, exitCode } });
  if (conclusion === 'error') expect(end.report!.error).toMatch(/./);
  expect(await footprint(end.report!.id)).toEqual([]);
}, 60_000);

test.each([
  ['in the command itself, which is the command\'s own', ['--', 'sh', '-c', 'echo "decoy: no" >&2; exit 125'], 'failure', undefined],
  ['before it, in a directory that the sandbox does not have', ['--working-directory', '/no/such/directory', '--', 'touch', 'ran'], 'error',
    'cannot enter the working directory "/no/such/directory" (no such file or directory): give one that the sandbox has and its user may enter, such as one in the workspace, or leave working-directory out'],
])('125 %s', async (_, args, conclusion, error) => {
  const end = await runDecoy(args, { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 125, patch: '', report: { conclusion, exitCode: 125 } });
  expect(end.report!.error).toBe(error);
  expect(end.stderr).toContain(error ?? 'decoy: no');
}, 60_000);

test('all problems of the input are told at once, in sentences, and nothing is started', async () => {
  const before = await runIds();
  const end = await runDecoy(
    ['--timeout', '2h', '--memory', 'lots', '--cpus', '0', '--allow', 'https://**', '--user', 'admin', '--image', 'Ubuntu', '--secret', 'SHORT@api.example.test', '--', 'touch', 'ran'],
    { cwd: workspace.path, env: { SHORT: 'abc' } },
  );
  expect(end).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error' } });
  for (const name of ['timeout', 'memory', 'cpus', 'allow', 'user', 'image', 'SHORT']) {
    expect(end.stderr).toContain(name);
    expect(end.report!.error).toContain(name);
  }
  expect(end.stderr).not.toMatch(/\n\s+at /);
  expect(end.patch).toBe('');
  expect([...await runIds()].filter((id) => !before.has(id) && id === end.report!.id)).toEqual([]);
}, 60_000);

test.each<[NodeJS.Signals, number]>([['SIGINT', 130], ['SIGTERM', 143]])('%s in the middle of a stubborn command', async (signal, exitCode) => {
  const running = startDecoy(['--', 'python3', 'probes/cling.py', 'mark'], { cwd: workspace.path });
  await running.printed('clinging');
  const killedMs = performance.now();
  running.kill(signal);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode, report: { conclusion: 'cancelled', exitCode } });
  // GitHub kills 7.5 s after SIGINT.
  expect(performance.now() - killedMs).toBeLessThan(7500);
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('SIGTERM before the command was started', async () => {
  const running = startDecoy(['--', 'touch', 'ran'], { cwd: workspace.path });
  const before = await runIds();
  await settled(async () => ([...await runIds()].some((id) => !before.has(id)) ? [] : ['not yet']));
  running.kill('SIGTERM');
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 143, report: { conclusion: 'cancelled' } });
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('a report that cannot be written is an error, not a success', async () => {
  const file = path.join(workspace.path, 'a-file');
  writeFileSync(file, '');
  const end = await decoy(['run', '--report', `${file}/report.json`, '--', 'true'], { cwd: workspace.path });
  expect(end.exitCode).toBe(125);
  expect(existsSync(`${file}/report.json`)).toBe(false);
}, 60_000);
