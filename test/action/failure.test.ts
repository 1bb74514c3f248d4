import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

test('the step ends with the exit code of the script, after the outputs are set', async () => {
  await using runner = startRunner();
  const { outputs, steps, failed } = await runner.use({ run: 'echo broken >&2\nexit 7' });

  expect(steps['run']?.exitCode).toBe(7);
  expect(failed).toBe(true);
  expect(outputs).toMatchObject({ 'exit-code': '7', conclusion: 'failure' });
  expect(steps['report-and-clean']?.exitCode).toBe(0);
  const { commands, stillStopped } = obeyedCommands(steps['run']?.stdout ?? '');
  expect(stillStopped).toBe(false);
  expect(commands.at(-1)).toEqual({ name: 'error', data: 'failure (exit code 7): The command failed with exit code 7.' });
}, 60_000);

test('a script that outlives its timeout ends with 124', async () => {
  await using runner = startRunner();
  const { outputs, steps } = await runner.use({ run: 'sleep 600', timeout: '1s' });
  expect(steps['run']?.exitCode).toBe(124);
  expect(outputs).toMatchObject({ 'exit-code': '124', conclusion: 'timeout' });
}, 60_000);

test('with fail-on-blocked a blocked attempt fails a script that succeeded', async () => {
  await using runner = startRunner();
  const inputs = { run: 'printf "in the middle of a line"; sleep 1; curl --silent --max-time 5 https://exfiltrate.example.com/ || true' };
  const lenient = await runner.use(inputs);
  const strict = await runner.use({ ...inputs, 'fail-on-blocked': 'true' });

  expect(lenient.outputs).toMatchObject({ 'exit-code': '0', conclusion: 'success' });
  expect(Number(lenient.outputs['blocked-count'])).toBeGreaterThan(0);
  expect(strict.outputs).toMatchObject({ conclusion: 'blocked', 'proposed-allow': expect.stringContaining('exfiltrate.example.com') });
  expect(strict.steps['run']?.exitCode).not.toBe(0);
  // Told when it happens, on a line of its own, and once more where annotations are.
  expect(strict.steps['run']?.stdout).toMatch(/^in the middle of a line\nDecoy: blocked the name exfiltrate\.example\.com: /m);
  const { commands } = obeyedCommands(strict.steps['run']?.stdout ?? '');
  expect(commands.filter(({ name }) => name === 'warning').map(({ data }) => data)).toEqual([expect.stringMatching(/^exfiltrate\.example\.com was blocked \(.*\): .*allow/)]);
  expect(strict.upload?.files['audit.jsonl']).toContain('exfiltrate.example.com');
}, 90_000);

test('where the report or the patch cannot be written the step fails with what to do, and its outputs say so', async () => {
  await using runner = startRunner();
  // Nothing is uploaded: /dev/full can be read for ever.
  const { outputs, steps, summary } = await runner.use({ run: 'echo new > new.txt', 'report-artifact': '' }, {
    onRun: () => {
      const place = fs.readdirSync(runner.temporary).find((name) => name.startsWith('decoy-'))!;
      for (const name of ['report.json', 'changes.patch']) fs.rmSync(path.join(runner.temporary, place, 'report', name), { force: true });
      for (const name of ['report.json', 'changes.patch']) fs.symlinkSync('/dev/full', path.join(runner.temporary, place, 'report', name));
    },
  });
  expect(steps['run']?.exitCode).toBe(125);
  expect(outputs).toMatchObject({ 'exit-code': '125', conclusion: 'error', 'changed-files': '' });
  const wrong = /cannot write `\S+\/report\.json`: ENOSPC: no space left on device, write: make room on the runner's disk; cannot write `\S+\/changes\.patch`: ENOSPC/;
  expect(obeyedCommands(steps['run']?.stdout ?? '').commands.at(-1)).toEqual({ name: 'error', data: expect.stringMatching(wrong) });
  expect(summary).toMatch(wrong);
}, 60_000);
