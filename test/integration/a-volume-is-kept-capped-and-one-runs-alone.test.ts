import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decoy, runDecoy, startDecoy } from './support/run-decoy.ts';
import { busybox, directory, link, openTestImage } from './support/test-image.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I16
let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  workspace = await openWorkspace();
  folder = mkdtempSync(path.join(os.tmpdir(), 'decoy-volumes-'));
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const options = () => ({ cwd: workspace.path, env: { DECOY_VOLUMES: path.join(folder, 'volumes') } });
const run = (args: readonly string[], script: string) => runDecoy(['--quiet', ...args, '--', 'sh', '-c', script], options());
const disk = (name: string) => path.join(folder, 'volumes', name, 'disk');

test('what a run leaves in a volume is there in the next, as runner and as root, and nothing in it is a device or raises privileges', async () => {
  await using image = openTestImage({ entries: [...busybox('sh', 'cat', 'grep', 'id', 'ls', 'echo', 'touch'), directory('kept')] });
  const first = await run(['--volume', 'kept:/home/runner/.cache/kept:64m'], 'cd ~/.cache/kept && ls -A && echo from the runner > a && touch ../beside');
  expect([first.exitCode, first.stdout, first.stderr]).toEqual([0, '', '']);
  const second = await run(['--user', 'root', '--volume', 'kept:/kept'], 'cat /kept/a; cp /usr/bin/id /kept/id; chmod 6755 /kept/id; mknod /kept/device b 7 0; ls -ld /kept; grep " /kept " /proc/self/mounts; grep " /tmp " /proc/self/mounts');
  expect(second.stdout).toContain('from the runner\n');
  // Of a mount the kernel can be told this way only; the control is the sandbox's own disk.
  expect(second.stdout).toMatch(/ \/kept ext4 rw,nosuid,nodev,/);
  expect(second.stdout).toMatch(/ \/tmp ext4 rw,noatime/);
  expect(second.stderr).toContain('mknod');
  // In an image that has a directory there; the volume is the runner's again, and the set-user-ID bit of root's program does nothing.
  const third = await run(['--image', image.reference, '--volume', 'kept:/kept:ro'], 'cat /kept/a; ls -A /kept; test -u /kept/id && echo set; /bin/busybox id -u; touch /kept/b');
  expect(third.stdout).toBe(`from the runner\na\nid\nset\n${process.getuid!() || 1001}\n`);
  expect(third.stderr).toContain('Read-only file system');
  const fourth = await run(['--volume', 'kept:/kept'], '/kept/id -u; echo more > /kept/b');
  expect([fourth.exitCode, fourth.stdout]).toEqual([0, `${process.getuid!() || 1001}\n`]);
  expect(statSync(path.join(folder, 'volumes')).mode & 0o777).toBe(0o700);
  expect(statSync(disk('kept'))).toMatchObject({ uid: process.getuid!(), size: 64 * 2 ** 20 });
}, 120_000);

test('a volume takes no more than its size, gives back what is deleted, and another size is refused', async () => {
  const end = await run(['--volume', 'small:/small:48m'], 'head -c 60000000 /dev/zero > /tmp/control && echo control; head -c 60000000 /dev/urandom > /small/x || echo full');
  expect(end.stdout).toBe('control\nfull\n');
  expect(statSync(disk('small')).size).toBe(48 * 2 ** 20);
  const full = statSync(disk('small')).blocks;
  await run(['--volume', 'small:/small'], 'rm /small/x; sync');
  expect(full - statSync(disk('small')).blocks).toBeGreaterThan(30 * 2048);
  const other = await run(['--volume', 'small:/small:64m'], 'true');
  expect([other.exitCode, other.report!.error]).toEqual([125, expect.stringContaining('decoy volumes remove small')]);
}, 120_000);

test('a run that wants a volume another one has is refused, and after SIGKILL of that one finds all of it', async () => {
  const holder = startDecoy(['--quiet', '--volume', 'one:/one:64m', '--', 'sh', '-c', 'echo kept > /one/a; sync; echo ready; while :; do head -c 1000000 /dev/urandom > /one/b; done'], options());
  await holder.printed('ready');
  const second = await run(['--volume', 'one:/one'], 'cat /one/a');
  expect([second.exitCode, second.stdout]).toEqual([125, '']);
  expect(second.report!.error).toContain('the volume "one" is in use by another run');
  expect((await decoy(['volumes'], options())).stdout).toMatch(/^one {2}\d+ MiB of 64 MiB .* in use$/m);
  const removal = await decoy(['volumes', 'remove', 'one'], options());
  expect([removal.exitCode, existsSync(disk('one'))]).toEqual([125, true]);
  holder.kill('SIGKILL');
  await holder.ended;
  // At once: what of the killed run is still there is waited for.
  const third = await run(['--volume', 'one:/one'], 'cat /one/a; echo more > /one/c');
  expect([third.exitCode, third.stdout]).toEqual([0, 'kept\n']);
  await decoy(['clean'], options());
  expect(spawnSync('e2fsck', ['-f', '-n', disk('one')], { env: { PATH: '/sbin:/usr/sbin' } }).status).toBe(0);
  expect((await run(['--volume', 'one:/one'], 'cat /one/c')).stdout).toBe('more\n');
  expect((await decoy(['volumes', 'remove', 'one'], options())).exitCode).toBe(0);
  expect(existsSync(path.dirname(disk('one')))).toBe(false);
}, 180_000);

test('the lock alone keeps a run off, before it has attached anything', async () => {
  await run(['--volume', 'locked:/locked:64m'], 'echo 1 > /locked/a');
  const holder = spawn('flock', ['--shared', '--no-fork', path.join(path.dirname(disk('locked')), 'lock'), 'sh', '-c', 'echo held; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  try {
    const end = await run(['--volume', 'locked:/locked'], 'cat /locked/a');
    expect([end.exitCode, end.stdout]).toEqual([125, '']);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  expect((await run(['--volume', 'locked:/locked'], 'cat /locked/a')).stdout).toBe('1\n');
}, 60_000);

test.skipIf(process.getuid!() !== 0)('a volume that a loop device still holds is not attached to a second one', async () => {
  await run(['--volume', 'held:/held:64m'], 'echo 1 > /held/a');
  const device = execFileSync('losetup', ['--find', '--show', disk('held')], { encoding: 'utf8', env: { PATH: '/sbin:/usr/sbin' } }).trim();
  try {
    const end = await run(['--volume', 'held:/held'], 'cat /held/a');
    expect([end.exitCode, end.stdout]).toEqual([125, '']);
  } finally {
    execFileSync('losetup', ['--detach', device], { env: { PATH: '/sbin:/usr/sbin' } });
  }
  expect((await run(['--volume', 'held:/held'], 'cat /held/a')).stdout).toBe('1\n');
}, 120_000);

test('no link of an image leads a volume to Decoy\'s own files, and nobody else may write where volumes are', async () => {
  await using image = openTestImage({ entries: [...busybox('sh', 'cat', 'echo'), link('cache', '/decoy'), link('data', 'etc')] });
  for (const at of ['/cache', '/data/x', '/bin/sh/x']) {
    const end = await run(['--image', image.reference, '--volume', `led:${at}:64m`], 'echo ran');
    expect([end.exitCode, end.stdout, end.report!.error]).toEqual([125, '', expect.stringContaining(`the volume at "${at}" leads through a link or a file of the image`)]);
  }
  expect((await run(['--image', image.reference, '--volume', 'led:/srv/x:64m'], 'echo ran > /srv/x/a; cat /srv/x/a')).stdout).toBe('ran\n');
  chmodSync(path.join(folder, 'volumes'), 0o755);
  const open = await run(['--volume', 'led:/led'], 'echo ran');
  chmodSync(path.join(folder, 'volumes'), 0o700);
  expect([open.exitCode, open.report!.error]).toEqual([125, expect.stringContaining('is open to other users')]);
}, 120_000);

test('a damaged volume is refused before the kernel reads it', async () => {
  await run(['--volume', 'damaged:/x:64m'], 'echo 1 > /x/a');
  expect(readFileSync(disk('damaged')).length).toBe(64 * 2 ** 20);
  execFileSync('dd', ['if=/dev/zero', `of=${disk('damaged')}`, 'bs=1024', 'count=900', 'conv=notrunc'], { stdio: 'ignore' });
  const end = await run(['--volume', 'damaged:/x'], 'cat /x/a');
  expect([end.exitCode, end.report!.error]).toEqual([125, expect.stringContaining('the file system of the volume "damaged" is damaged')]);
}, 60_000);
