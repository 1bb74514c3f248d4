import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace } from './support/workspace.ts';

type Span = { from: number; to: number };

/** The lines `--timings` printed, by stage. */
function readTimings(stderr: string): Map<string, Span> {
  const lines = stderr.matchAll(/^decoy: (\S.*?) +(\d+) +(\d+) +(\d+)$/gm);
  return new Map(Array.from(lines, ([, stage, from, to]) => [stage!, { from: Number(from), to: Number(to) }]));
}

test('--timings has a line for each stage, and the command starts after everything that keeps it', async () => {
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--quiet', '--timings', '--', 'echo', 'ran'], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
  const timings = readTimings(end.stderr);
  expect([...timings.keys()].sort()).toEqual([
    'authority and proxy', 'canary', 'disk: filling and mounting', 'disk: making', 'engine', 'files', 'gateway: creation', 'gateway: start', 'image', 'keeper',
    'loading Node and Decoy', 'loading the proxy', 'loading the run', 'options', 'removal', 'sandbox: command to end', 'sandbox: creation', 'sandbox: start', 'volumes', 'waiting for other starts',
  ]);
  expect(end.stderr.split('\n').filter(Boolean)).toHaveLength(timings.size + 1);
  const at = (stage: string) => timings.get(stage)!;
  for (const stage of ['authority and proxy', 'files', 'gateway: start']) expect(at(stage).to, stage).toBeLessThanOrEqual(at('canary').from);
  for (const stage of ['gateway: start', 'sandbox: creation', 'disk: filling and mounting']) expect(at(stage).to, stage).toBeLessThanOrEqual(at('sandbox: start').from);
  for (const stage of ['canary', 'sandbox: start']) expect(at(stage).to, stage).toBeLessThanOrEqual(at('sandbox: command to end').from);
  expect(at('gateway: creation').to).toBeLessThanOrEqual(at('sandbox: creation').from);
  expect(at('sandbox: command to end').to).toBeLessThanOrEqual(at('removal').from);
}, 60_000);

test('without it nothing of the kind is printed', async () => {
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--quiet', '--', 'true'], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stderr: '' });
}, 60_000);

test('a start that fails tells how far it came', async () => {
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--timings', '--', 'true'], { cwd: workspace.path, env: { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } });
  expect(end.exitCode).toBe(125);
  expect([...readTimings(end.stderr).keys()]).toEqual(['loading Node and Decoy', 'options', 'loading the run', 'engine']);
});
