import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker, openGuestImage, type GuestImage } from './guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from './support/footprint.ts';
import { decoy, runDecoy, startDecoy } from './support/run-decoy.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I13
let workspace: Workspace;
let image: GuestImage;
beforeAll(async () => {
  workspace = await openWorkspace();
  image = openGuestImage();
}, 60_000);
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
}, 60_000);

test('after a run there is nothing of it, and the look at it sees what there is during one', async () => {
  const running = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; sleep 1'], { cwd: workspace.path });
  await running.printed('ready');
  const id = await runOf(running.pid);
  const during = await footprint(id);
  for (const kind of ['container decoy-', 'volume decoy-', 'mount /', 'file /tmp/decoy-']) expect(during.some((line) => line.startsWith(kind)), `${kind} in ${during.join('\n')}`).toBe(true);
  const end = await running.ended;
  expect(end.report!.id).toBe(id);
  // At once, not some time later.
  expect(await footprint(id)).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 60_000);

test('after failures of the start there is nothing either', async () => {
  const end = await runDecoy(['--quiet', '--storage', '900g', '--working-directory', '/no/such/directory', '--', 'true'], { cwd: workspace.path });
  expect(end.exitCode).not.toBe(0);
  expect(await footprint(end.report!.id)).toEqual([]);
}, 60_000);

test('after SIGKILL of Decoy, `decoy clean` removes what is left, and neither a live run nor anything of somebody else\'s', async () => {
  const other = `decoy-${randomBytes(6).toString('hex')}`;
  const folder = path.join(os.tmpdir(), other);
  mkdirSync(folder);
  const others = [
    await docker(['run', '-d', '--network', 'none', '--name', `${other}-sandbox`, '--label', 'decoy=1', '--label', image.label, '-v', '/usr:/usr:ro', '--entrypoint', '/usr/bin/sleep', image.id, '600']),
    await docker(['volume', 'create', '--label', image.label, '--label', 'decoy=1', `${other}-disk`]),
    await docker(['volume', 'create', '--label', image.label, `${other}-file`]),
  ];
  expect(others.map(({ code, stderr }) => [code, stderr])).toEqual([[0, ''], [0, ''], [0, '']]);
  let live: ReturnType<typeof startDecoy> | undefined;
  try {
    live = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; while [ ! -e /tmp/never ]; do sleep 0.2; done'], { cwd: workspace.path });
    const killed = startDecoy(['--quiet', '--', 'sh', '-c', 'echo ready; sleep 600'], { cwd: workspace.path });
    await Promise.all([live.printed('ready'), killed.printed('ready')]);
    const [liveId, killedId] = await Promise.all([runOf(live.pid), runOf(killed.pid)]);
    killed.kill('SIGKILL');
    await killed.ended;
    // The control: without clean-up there is something left.
    expect((await footprint(killedId)).length).toBeGreaterThan(3);
    const liveBefore = await footprint(liveId);

    const cleaned = await decoy(['clean']);
    expect(cleaned, cleaned.stderr).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('removed ') });
    expect(await footprint(killedId)).toEqual([]);
    expect(await settled(orphanedLoopDevices)).toEqual([]);
    expect(await footprint(liveId)).toEqual(liveBefore);
    live.kill('SIGTERM');
    expect(await live.ended).toMatchObject({ exitCode: 143, report: { conclusion: 'cancelled' } });
    expect(await settled(() => footprint(liveId))).toEqual([]);

    expect((await docker(['inspect', '--format', '{{.State.Running}}', `${other}-sandbox`])).stdout).toBe('true\n');
    expect((await docker(['volume', 'inspect', `${other}-disk`, `${other}-file`])).code).toBe(0);
    expect(existsSync(folder)).toBe(true);
    expect(await decoy(['clean'])).toMatchObject({ exitCode: 0 });
  } finally {
    live?.kill('SIGTERM');
    await live?.ended;
    rmSync(folder, { recursive: true });
    await docker(['rm', '-f', '-v', `${other}-sandbox`]);
    await docker(['volume', 'rm', `${other}-disk`, `${other}-file`]);
  }
}, 60_000);

async function runOf(pid: number): Promise<string> {
  const { stdout } = await docker(['ps', '--filter', `label=decoy.pid=${pid}`, '--format', '{{.Label "decoy.run"}}']);
  return stdout.split('\n')[0] as string;
}
