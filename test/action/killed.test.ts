import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import Docker from 'dockerode';
import { expect, test, vi } from 'vitest';
import { obeyedCommands } from './runner-commands.ts';
import { startRunner } from './run-action.ts';

test('after SIGKILL in the middle the second step releases the runner, reports and leaves nothing behind', async () => {
  await using runner = startRunner();
  const { steps, outputs, upload, summary } = await runner.use({ run: 'echo started; sleep 600' }, {
    onRun: (child, stdout) => { if (stdout.includes('started\n')) child.kill('SIGKILL'); },
  });
  const run = steps['run'];
  expect(run?.exitCode).toBe(null);
  expect(obeyedCommands(run?.stdout ?? '').stillStopped).toBe(true);
  const second = steps['report-and-clean'];
  expect(second?.exitCode).toBe(0);
  expect(obeyedCommands(`${run?.stdout}${second?.stdout}`).stillStopped).toBe(false);
  expect(outputs).toMatchObject({ 'exit-code': '125', conclusion: 'error' });
  expect(upload?.files['report.json']).toContain('killed before it could report');
  expect(summary).toContain('### Decoy: error');

  await vi.waitFor(async () => expect(await leftBy(run?.pid)).toEqual(NOTHING), { timeout: 5_000, interval: 250 });
}, 90_000);

test.each([
  { signal: 'SIGINT', exitCode: 130 },
  { signal: 'SIGTERM', exitCode: 143 },
] as const)('$signal reaches Decoy through the shell: the run is cancelled, reported and clean before GitHub loses patience', async ({ signal, exitCode }) => {
  await using runner = startRunner();
  let sent = false;
  const { steps, outputs } = await runner.use({ run: 'echo started; sleep 600' }, {
    onRun: (child, stdout) => {
      if (!sent && stdout.includes('started\n')) sent = child.kill(signal);
    },
  });
  expect(outputs).toMatchObject({ conclusion: 'cancelled', 'exit-code': String(exitCode) });
  expect(steps['run']?.exitCode).toBe(exitCode);
  await vi.waitFor(async () => expect(await leftBy(steps['run']?.pid)).toEqual(NOTHING), { timeout: 5_000, interval: 250 });
}, 90_000);

test('a script that ignores every signal is ended, reported and cleaned up within what GitHub grants a cancelled step', async () => {
  await using runner = startRunner();
  const timers: NodeJS.Timeout[] = [];
  const { steps, outputs, upload } = await runner.use({ run: "trap '' INT TERM HUP; (while :; do sleep 1; done) & echo started; while :; do sleep 1; done" }, {
    onRun: (child, stdout) => {
      if (timers.length === 0 && stdout.includes('started\n')) timers.push(...cancelAsGitHub(child));
    },
  });
  timers.forEach(clearTimeout);
  // Its own end, not that of SIGKILL.
  expect(steps['run']?.exitCode).toBe(130);
  expect(outputs).toMatchObject({ conclusion: 'cancelled', 'exit-code': '130' });
  expect(JSON.parse(upload?.files['report.json'] ?? 'null')).toMatchObject({ conclusion: 'cancelled', exitCode: 130 });
  await vi.waitFor(async () => expect(await leftBy(steps['run']?.pid)).toEqual(NOTHING), { timeout: 5_000, interval: 250 });
}, 90_000);

test('killed in the middle of its own clean-up, the second step finishes it', async () => {
  await using runner = startRunner();
  let isCancelled = false;
  const { steps, outputs } = await runner.use({ run: "trap 'echo ending; sleep 600' INT TERM; echo started; sleep 600 & wait" }, {
    onRun: (child, stdout) => {
      if (!isCancelled && stdout.includes('started\n')) isCancelled = child.kill('SIGINT');
      if (stdout.includes('ending\n')) child.kill('SIGKILL');
    },
  });
  expect(steps['run']?.exitCode).toBe(null);
  expect(steps['report-and-clean']?.exitCode).toBe(0);
  expect(outputs).toMatchObject({ 'exit-code': '125', conclusion: 'error' });
  await vi.waitFor(async () => expect(await leftBy(steps['run']?.pid)).toEqual(NOTHING), { timeout: 5_000, interval: 250 });
}, 90_000);

/** https://github.com/actions/runner/blob/main/src/Runner.Sdk/ProcessInvoker.cs: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. */
function cancelAsGitHub(child: ChildProcess): NodeJS.Timeout[] {
  child.kill('SIGINT');
  return [setTimeout(() => child.kill('SIGTERM'), 7_500), setTimeout(() => child.kill('SIGKILL'), 10_000)];
}

/** There before the first run of these. */
const OTHERS = removedDisks();
const NOTHING = { containers: [], volumes: [], disks: [] };

/** What the engine and the kernel still hold of the process with this id. */
async function leftBy(pid: number | undefined) {
  if (pid === undefined) throw new Error('the step had no process');
  const docker = new Docker();
  const filters = JSON.stringify({ label: [`decoy.pid=${pid}`] });
  const containers = (await docker.listContainers({ all: true, filters })).map(({ Names }) => Names[0]);
  const volumes = ((await docker.listVolumes({ filters })).Volumes ?? []).map(({ Name }) => Name);
  const disks = removedDisks().filter((file) => !OTHERS.includes(file));
  return { containers, volumes, disks };
}

/** Files that loop devices hold and that have been removed; one of a run next to this may for a moment be among them, hence the waiting. */
function removedDisks(): string[] {
  return fs.readdirSync('/sys/block').filter((name) => name.startsWith('loop'))
    .flatMap((name) => { try { return [fs.readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim()]; } catch { return []; } })
    .filter((file) => file.endsWith('(deleted)'));
}
