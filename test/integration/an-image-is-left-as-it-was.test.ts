import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from './support/footprint.ts';
import { decoy, runDecoy, startDecoy, type RunningDecoy } from './support/run-decoy.ts';
import { busybox, file, openTestImage, type TestImage } from './support/test-image.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I9, I13
let workspace: Workspace;
let image: TestImage;
beforeAll(async () => {
  workspace = await openWorkspace();
  image = openTestImage({ entries: [...busybox('sh', 'echo', 'rm', 'sleep', 'chown', 'cat'), file('etc/kept', 'as it was\n'), file('srv/data/kept', 'as it was\n')], changes: ['VOLUME /srv/data'] });
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
});

const start = (...args: string[]) => startDecoy(['--quiet', '--image', image.reference, '--user', 'root', ...args], { cwd: workspace.path });
const runOf = async ({ pid }: RunningDecoy) => (await docker(['ps', '--filter', `label=decoy.pid=${pid}`, '--format', '{{.Label "decoy.run"}}'])).stdout.split('\n')[0] as string;
/** Where the engine keeps the container whose files the sandbox's views lie on. */
const filesOf = async (runId: string) => (await docker(['inspect', '--format', '{{.GraphDriver.Data.MergedDir}}', `decoy-${runId}-image`])).stdout.trim();

test('whatever is done inside, the next run has the image as it was, and nothing of the first is left', async () => {
  const running = start('--', 'sh', '-c', 'echo changed > /etc/kept; rm -r /srv /bin/rm; chown 5:5 /etc; echo x > /etc/new; echo ready; sleep 1');
  await running.printed('ready');
  const id = await runOf(running);
  const files = await filesOf(id);
  // The control: the container is there; its files are mounted no more, since the sandbox has them.
  expect(path.isAbsolute(files) && existsSync(path.dirname(files))).toBe(true);
  expect(readFileSync('/proc/self/mounts', 'latin1')).not.toContain(` ${files} `);
  const end = await running.ended;
  expect(end).toMatchObject({ exitCode: 0 });
  expect(await footprint(id)).toEqual([]);
  expect(existsSync(path.dirname(files))).toBe(false);
  expect((await start('--', 'sh', '-c', 'cat /etc/kept /srv/data/kept; echo /bin/rm* /etc/n*').ended).stdout).toBe('as it was\nas it was\n/bin/rm /etc/n*\n');
}, 60_000);

test('SIGTERM while it starts, and a start that fails, leave nothing', async () => {
  const running = start('--', 'sleep', '600');
  await settled(async () => ((await docker(['ps', '-aq', '--filter', `label=decoy.pid=${running.pid}`, '--filter', 'name=-image'])).stdout === '' ? ['not yet'] : []), 20);
  running.kill('SIGTERM');
  const cancelled = await running.ended;
  expect(cancelled).toMatchObject({ exitCode: 143, report: { conclusion: 'cancelled' } });
  expect(await footprint(cancelled.report!.id)).toEqual([]);

  const failed = await runDecoy(['--quiet', '--image', image.reference, '--storage', '900g', '--working-directory', '/no/such/directory', '--', 'true'], { cwd: workspace.path });
  expect(failed.exitCode).not.toBe(0);
  expect(await footprint(failed.report!.id)).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 60_000);

test('after SIGKILL `decoy clean` removes the run, and neither the image nor a live run in it', async () => {
  const [live, killed] = [start('--', 'sh', '-c', 'echo ready; sleep 600'), start('--', 'sh', '-c', 'echo ready; sleep 600')];
  try {
    await Promise.all([live.printed('ready'), killed.printed('ready')]);
    const [liveId, killedId] = await Promise.all([runOf(live), runOf(killed)]);
    const files = await filesOf(killedId);
    killed.kill('SIGKILL');
    await killed.ended;
    // The control: without clean-up there is something left.
    expect(await footprint(killedId)).toContain(`container decoy-${killedId}-image`);
    const before = await footprint(liveId);
    expect(await decoy(['clean'])).toMatchObject({ exitCode: 0 });
    expect(await footprint(killedId)).toEqual([]);
    expect(existsSync(path.dirname(files))).toBe(false);
    expect(await footprint(liveId)).toEqual(before);
    expect((await docker(['image', 'inspect', image.reference])).code).toBe(0);
  } finally {
    live.kill('SIGTERM');
    await live.ended;
  }
}, 60_000);
