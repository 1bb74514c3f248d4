import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from './support/footprint.ts';
import { runDecoy, startDecoy } from './support/run-decoy.ts';
import { busybox, directory, file, openTestImage, type TestImage } from './support/test-image.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I7
let workspace: Workspace;
let image: TestImage;
beforeAll(async () => {
  workspace = await openWorkspace();
  image = openTestImage({
    entries: [
      ...busybox('sh', 'dd', 'stat', 'grep', 'rm', 'echo', 'sleep', 'yes', 'tail', 'cat'), directory('tmp', { mode: 0o1777 }), directory('opt'), directory('data'), file('data/seed', 'from the image\n'),
      file('srv/www/index.html', 'x'), file('usr/share/doc/x', 'x'), directory('var/run'),
    ],
    changes: ['VOLUME /data', 'VOLUME /srv/www', 'VOLUME /not/there', 'VOLUME /opt'],
  });
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
});

const MIB = 2 ** 20;

test('the disk takes no more than its cap, wherever is written, the image\'s VOLUMEs included', async () => {
  const folders = ['/bin', '/data', '/etc', '/home/runner', '/not/there', '/opt', '/root', '/run', '/srv', '/srv/www', '/tmp', '/usr/share', '/var', workspace.path];
  const end = await runDecoy(
    ['--quiet', '--image', image.reference, '--storage', '64m', '--memory', '256m', '--user', 'root', '--', 'sh', '-c', `sh probes/fill.sh 128 ${folders.join(' ')} / /dev/shm; dd if=/dev/zero of=/tmp/fill bs=1048576 2>/dev/null; exit 3`],
    { cwd: workspace.path },
  );
  expect(end, end.stderr).toMatchObject({ exitCode: 3, report: { conclusion: 'storage' } });
  const filled = end.stdout.trim().split('\n').map((line) => line.split(' '));
  expect(filled.map(([folder]) => folder)).toEqual([...folders, '/', '/dev/shm']);
  for (const [folder, mebibytes, ...why] of filled.slice(0, folders.length)) {
    expect({ folder, why: why.join(' ') }).toEqual({ folder, why: 'No space left on device' });
    expect(Number(mebibytes)).toBeGreaterThan(30);
    expect(Number(mebibytes)).toBeLessThanOrEqual(64);
  }
  expect(filled.at(-2)).toEqual(['/', '0', 'Read-only', 'file', 'system']);
  // Memory, and counted as such: half the cap.
  expect(filled.at(-1)![1]).toBe('128');
  expect(end.report!.usage.storagePeakBytes).toBeLessThanOrEqual(64 * MIB);
}, 60_000);

test('in a plain container of the same image nothing holds the same writer back', async () => {
  const { stdout } = await docker(['run', '--rm', '--network', 'none', '-v', `${workspace.path}/probes:/probes:ro`, image.reference, 'sh', '/probes/fill.sh', '128', '/data', '/usr/share', '/']);
  expect(stdout).toBe('/data 128 all\n/usr/share 128 all\n/ 128 all\n');
}, 60_000);

test('the engine makes no anonymous volume of its VOLUMEs, which show what the image has there', async () => {
  const running = startDecoy(['--quiet', '--image', image.reference, '--', 'sh', '-c', 'cat /data/seed; echo ready; sleep 1'], { cwd: workspace.path });
  await running.printed('from the image\nready');
  const [id] = lines((await docker(['ps', '--filter', `label=decoy.pid=${running.pid}`, '--format', '{{.Label "decoy.run"}}'])).stdout) as [string];
  const containers = lines((await docker(['ps', '-aq', '--filter', `label=decoy.run=${id}`])).stdout);
  const during = (await Promise.all(containers.map(volumesOf))).flat();
  expect(during.length).toBeGreaterThan(3);
  expect(during.filter((name) => !name.startsWith(`decoy-${id}-`))).toEqual([]);
  // The control: the look finds them while they are there, and the engine makes some where nobody keeps it from it.
  expect(await footprint(id)).toContainEqual(expect.stringMatching(/^container decoy-.*-image$/));
  const plain = (await docker(['create', '--network', 'none', image.reference, 'true'])).stdout.trim();
  expect((await volumesOf(plain)).length).toBe(4);
  await docker(['rm', '-f', '-v', plain]);

  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(await footprint(id)).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 60_000);

test('memory, processes and time end as with the runner\'s own tools', async () => {
  const run = (options: readonly string[], script: string) => runDecoy(['--quiet', '--image', image.reference, ...options, '--', 'sh', '-c', script], { cwd: workspace.path });
  expect(await run(['--memory', '64m'], 'tail -c 256m /dev/zero')).toMatchObject({ exitCode: 137, report: { conclusion: 'oom' } });
  const bomb = await run(['--pids', '32'], 'i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done');
  expect(bomb.exitCode).not.toBe(0);
  expect(bomb.report!.usage.pidsPeak).toBeLessThanOrEqual(32);
  expect(await run(['--timeout', '1s'], 'trap "" TERM; sleep 60')).toMatchObject({ exitCode: 124, report: { conclusion: 'timeout' } });
}, 120_000);

/** None of a container that has gone meanwhile, as the disk's holder does while the command runs. */
async function volumesOf(container: string): Promise<string[]> {
  const { stdout } = await docker(['inspect', '--format', '{{json .Mounts}}', container]);
  const mounts = JSON.parse(stdout.trim() || '[]') as { Type: string; Name: string }[];
  return mounts.filter(({ Type }) => Type === 'volume').map(({ Name }) => Name);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
