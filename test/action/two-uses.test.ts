import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startRunner } from './run-action.ts';

test('two uses in one job, side by side, keep their reports apart and do not clean each other up', async () => {
  await using runner = startRunner();
  const [first, second] = await Promise.all([
    runner.use({ run: 'echo first; sleep 3; exit 4', 'report-artifact': 'first' }),
    runner.use({ run: 'echo second', 'report-artifact': 'second' }),
  ]);
  expect(first.outputs).toMatchObject({ 'exit-code': '4', conclusion: 'failure' });
  expect(second.outputs).toMatchObject({ 'exit-code': '0', conclusion: 'success' });
  const directories = [first, second].map(({ outputs }) => path.dirname(outputs['report'] as string));
  expect(new Set(directories).size).toBe(2);
  expect([first.upload?.name, second.upload?.name]).toEqual(['first', 'second']);
  for (const directory of directories) {
    expect(directory.startsWith(`${runner.temporary}/`)).toBe(true);
    expect(fs.readdirSync(path.dirname(directory))).toEqual(['report']);
  }
}, 90_000);
