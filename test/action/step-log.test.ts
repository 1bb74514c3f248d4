import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

test('the log is an outline of the run: a group before the command, its output in none, a group for the result', async () => {
  await using runner = startRunner();
  const { steps } = await runner.use({ run: 'echo "hello from inside"; exit 3', allow: 'GET api.example.com/v1/**', secrets: 'KEY@keys.example.com=sk-abcdefghijklmnop123456', memory: '512m' });
  const stdout = steps['run']?.stdout ?? '';
  const lines = stdout.split('\n');
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  const order = [
    '::group::Decoy: prepare', 'Decoy: image: runner', 'Decoy: limits: 2 CPUs, 512 MiB of memory', 'Decoy: network: 1 rule, 1 secret', 'Decoy: allowed: GET api.example.com/v1/**', 'Decoy: secret KEY: for keys.example.com',
    'Decoy: the start-up canary held', '::endgroup::', 'Decoy: running the command', '::stop-commands::', 'hello from inside', '::group::Decoy: result: failure, exit 3 after', 'Decoy: failure, exit 3',
  ].map(at);
  expect(order).not.toContain(-1);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(stdout.replaceAll(/^::add-mask::.*$/gm, '')).not.toContain('sk-abcdefghijklmnop123456');
  // The verdict is not folded away.
  const { commands } = obeyedCommands(stdout);
  expect(commands.at(-1)?.name).toBe('error');
  expect(commands.findLastIndex(({ name }) => name === 'endgroup')).toBeLessThan(commands.length - 1);
}, 60_000);

test('a run that ends before its command has both groups, and nothing left open', async () => {
  await using runner = startRunner();
  const { steps, outputs } = await runner.use({ run: 'true', image: 'registry.invalid/nothing:1' });
  const { commands, stillStopped } = obeyedCommands(steps['run']?.stdout ?? '');
  expect(stillStopped).toBe(false);
  expect(commands.map(({ name }) => name)).toEqual(['group', 'endgroup', 'group', 'add-mask', 'stop-commands', 'endgroup', 'error']);
  expect(steps['run']?.stdout).toContain('\nDecoy: pulling registry.invalid/nothing:1\n');
  expect(outputs['conclusion']).toBe('error');
}, 60_000);

test('each silence has a token of its own, so that what was read of one ends no other', async () => {
  await using runner = startRunner();
  const { steps } = await runner.use({ run: 'true' });
  const tokens = obeyedCommands(steps['run']?.stdout ?? '').commands.filter(({ name }) => name === 'stop-commands').map(({ data }) => data);
  expect(new Set(tokens).size).toBe(2);
}, 60_000);

test('after SIGKILL in the first group the second step closes it', async () => {
  await using runner = startRunner();
  const { steps } = await runner.use({ run: 'true' }, { onRun: (child, stdout) => { if (stdout.includes('::group::Decoy: prepare')) kill(child.pid); } });
  const { commands } = obeyedCommands(`${steps['run']?.stdout}${steps['report-and-clean']?.stdout}`);
  expect(commands.map(({ name }) => name).slice(0, 2)).toEqual(['group', 'endgroup']);
}, 60_000);

/** The step's shell has become Decoy itself. */
function kill(pid: number | undefined): void {
  if (pid === undefined || !fs.existsSync(`/proc/${pid}`)) throw new Error('the step has no process');
  spawnSync('kill', ['-9', String(pid)]);
}
