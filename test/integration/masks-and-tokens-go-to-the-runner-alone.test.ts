import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openWorkspace } from './support/workspace.ts';

// I1, I2, I10: what is printed for GitHub's runner would be a real secret, or the end of the silence, in a file.
const program = path.resolve(import.meta.dirname, '../../dist/cli.js');
const real = 'sk-proj-Zq8vN3xTb7LmR2wYc5KdH9pJf4GsA1eU6tX0';
const env = { PATH: process.env['PATH'] ?? '', KEY: real, GITHUB_ACTIONS: 'true', HOME: '/nonexistent' };
/** Waits for what a file of the workspace gets, and prints it and a command. */
const spy = "for i in 1 2 3 4 5; do sleep 0.1; done; sed 's/./&./g' out.txt 2>/dev/null; echo '::set-env name=X::y'";

function shell(script: string, cwd: string) {
  return spawnSync('bash', ['-c', script], { cwd, env, encoding: 'utf8' });
}

test.each([
  ['a file in the workspace', 'decoy > out.txt; cat out.txt'], ['a pipeline that writes one', 'decoy | tee out.txt'], ['a variable of the shell', 'x=$(decoy); echo "$x"'],
])('into %s neither a real value nor a token is printed, and no command of the sandbox\'s stands', async (_, script) => {
  await using workspace = await openWorkspace();
  const decoy = `decoy() { ${process.execPath} ${program} run --quiet --secret KEY@api.example.test -- sh -c "$SPY"; }`;
  const end = spawnSync('bash', ['-c', `${decoy}; ${script}`], { cwd: workspace.path, env: { ...env, SPY: spy }, encoding: 'utf8' });
  expect(end.status, end.stderr).toBe(0);
  expect(end.stdout).toContain('set-env name=X::y');
  expect(end.stdout.split('\n').filter((line) => line.trimStart().startsWith('::'))).toEqual([]);
  for (const text of [real, [...real].join('.')]) expect(end.stdout + end.stderr).not.toContain(text);
  expect(end.stdout).not.toMatch(/decoy-[0-9a-f]{48}/);
}, 60_000);

test('straight to the program that started the step, masks and the silence are printed', async () => {
  await using workspace = await openWorkspace();
  // The step's own shell stands between, as on a runner.
  const end = shell(`${process.execPath} ${program} run --quiet --secret KEY@api.example.test -- echo '::set-env name=X::y'; true`, workspace.path);
  const lines = end.stdout.trimEnd().split('\n');
  expect(lines[0]).toBe(`::add-mask::${real}`);
  const token = /^::stop-commands::(decoy-[0-9a-f]{48})$/.exec(lines[2] ?? '')?.[1];
  expect(lines.slice(1)).toEqual([`::add-mask::${token}`, `::stop-commands::${token}`, '::set-env name=X::y', `::${token}::`]);
}, 60_000);

test('a core dump would hold none of Decoy\'s memory', async () => {
  await using workspace = await openWorkspace();
  const end = spawnSync(process.execPath, ['-e', `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, [${JSON.stringify(program)}, 'run', '--quiet', '--', 'sh', '-c', 'echo ready; sleep 2'], { cwd: ${JSON.stringify(workspace.path)}, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => { console.log(require('node:fs').readFileSync('/proc/' + child.pid + '/coredump_filter', 'utf8').trim()); child.kill(); });
  `], { encoding: 'utf8', env });
  expect(end.stdout.trim()).toBe('00000000');
  expect(readFileSync('/proc/self/coredump_filter', 'utf8').trim()).not.toBe('00000000');
}, 60_000);
