import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { openWorkspace } from './support/workspace.ts';

const cli = path.resolve('dist/cli.js');

/** `$DECOY` in the script is Decoy, up to its options. */
function runScript(script: string, cwd: string): { report: Report; stderr: string } {
  const file = path.join(cwd, '..', `report-${path.basename(cwd)}.json`);
  const ended = spawnSync('bash', ['-c', script], { cwd, env: { ...process.env, DECOY: `${process.execPath} ${cli} run --report ${file}` }, encoding: 'utf8', timeout: 50_000 });
  return { report: JSON.parse(readFileSync(file, 'utf8')) as Report, stderr: ended.stderr };
}

test('a reader that goes away cancels the run, which says so', async () => {
  await using workspace = await openWorkspace();
  const { report, stderr } = runScript("$DECOY -- sh -c 'while :; do echo line; sleep 0.01; done' | head -n 1", workspace.path);
  expect(report).toMatchObject({ conclusion: 'cancelled', exitCode: 143, error: 'what read its standard output has closed it' });
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain('Cancelled (exit code 143): what read its standard output has closed it');
}, 60_000);

test('output that cannot be written is an error with the remedy', async () => {
  await using workspace = await openWorkspace();
  const { report, stderr } = runScript("$DECOY -- sh -c 'while :; do echo line; sleep 0.01; done' >/dev/full", workspace.path);
  expect(report).toMatchObject({ conclusion: 'error', exitCode: 125, error: 'cannot write to standard output (ENOSPC): send it where there is room for it' });
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain('send it where there is room for it');
}, 60_000);
