import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from '../integration/guest-image.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { startDecoy, type RunningDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';

// I11, I13. The gateway and the keeper: losing-the-gateway-ends-the-run, losing-the-keeper-ends-the-run
let workspace: Workspace;
beforeAll(async () => { workspace = await openWorkspace(); });
afterAll(() => workspace[Symbol.asyncDispose]());

test.each([
  ['killed', ['kill'], ['exit code 137']],
  // The engine kills it first, and may be asked before it has removed it.
  ['removed', ['rm', '-f'], ['its container is gone', 'exit code 137']],
])('a sandbox that is %s is an error: its exit code was not the command\'s', async (_, how, told) => {
  const running = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; sleep 600'], { cwd: workspace.path });
  await running.printed('ready');
  await docker([...how, await sandboxOf(running)]);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error', exitCode: 125 } });
  expect(told.map((end) => `the sandbox ended before its command did (${end}): something outside Decoy ended it, \`docker kill\` say, or its runtime failed; run it again`)).toContain(end.report!.error);
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('one that is stopped passes SIGTERM on, and what the command makes of it counts', async () => {
  const running = startDecoy(['--quiet', '--', 'sh', '-c', 'trap "echo ending > left; exit 7" TERM; echo ready; while :; do sleep 0.1; done'], { cwd: workspace.path });
  await running.printed('ready');
  await docker(['stop', await sandboxOf(running)]);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 7, report: { conclusion: 'failure', exitCode: 7 } });
  expect(end.patch).toContain('+ending');
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('one that is paused ends at its deadline all the same', async () => {
  const running = startDecoy(['--quiet', '--timeout', '3s', '--', 'sh', '-c', 'echo ready; sleep 600'], { cwd: workspace.path });
  await running.printed('ready');
  await docker(['pause', await sandboxOf(running)]);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 124, report: { conclusion: 'timeout', exitCode: 124 } });
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 90_000);

async function sandboxOf({ pid }: RunningDecoy): Promise<string> {
  return (await docker(['ps', '-q', '--filter', `label=decoy.pid=${pid}`, '--filter', 'name=-sandbox'])).stdout.trim();
}
