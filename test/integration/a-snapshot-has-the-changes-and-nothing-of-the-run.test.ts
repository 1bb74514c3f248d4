import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint } from './support/footprint.ts';
import { decoy, runDecoy, startDecoy } from './support/run-decoy.ts';
import { busybox, directory, file, link, openTestImage, type TestImage } from './support/test-image.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I17
const PROGRAMS = ['sh', 'cat', 'ls', 'rm', 'mkdir', 'ln', 'chmod', 'echo', 'sed', 'head', 'id', 'mkfifo', 'mknod', 'find', 'truncate', 'sleep', 'cp', 'stat', 'touch', 'mv', 'env'];
const secret = `sk-${randomBytes(30).toString('base64url')}`;
let workspace: Workspace;
let image: TestImage;
let folder: string;
beforeAll(async () => {
  workspace = await openWorkspace();
  writeFileSync(path.join(workspace.path, 'of-the-workspace'), 'only in the workspace');
  folder = mkdtempSync(path.join(os.tmpdir(), 'decoy-snapshots-'));
  image = openTestImage({
    entries: [
      ...busybox(...PROGRAMS), file('etc/issue', 'of the image'), file('etc/ssl/certs/ca-certificates.crt', 'roots of the image'), file('etc/keep', 'kept'), directory('home'), directory('root'),
      file('opt/tool/x', 'x'), file('opt/gone/y', 'y'), file('opt/replaced/z', 'z'), file('opt/became/file', 'f'), link('opt/link', 'tool'), file('data/v', 'v'),
    ],
    changes: ['ENV OF_THE_IMAGE=yes', 'VOLUME /data'],
  });
});
afterAll(async () => {
  await decoy(['snapshots', 'remove', ...new Set((await decoy(['snapshots'], options())).stdout.split('\n').filter(Boolean).map((line) => line.split(' ')[0] as string))], options());
  await workspace[Symbol.asyncDispose]();
  await image[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const options = (env: Record<string, string> = {}) => ({ cwd: workspace.path, env: { DECOY_SNAPSHOTS: path.join(folder, 'records'), DECOY_VOLUMES: path.join(folder, 'volumes'), ...env } });
const run = (args: readonly string[], script: string, env?: Record<string, string>) => runDecoy(['--quiet', ...args, '--', 'sh', '-c', script], options(env));

const CHANGES = `set -e
echo a marker that is kept > /opt/new; ln /opt/new /opt/second; chmod 4755 /opt/new
rm /etc/issue; rm -r /opt/gone; rm -r /opt/replaced; mkdir /opt/replaced; echo n > /opt/replaced/n; rm -r /opt/became; echo now > /opt/became; rm /opt/link; mkdir /opt/link; echo in > /opt/link/in
echo w > /data/w; echo r > /root/r; mkdir -p /home/runner/.config; echo h > /home/runner/.config/h; mkfifo /opt/pipe; mknod /root/whiteout c 0 0 || true
echo t > /tmp/t; echo run > /run/run; echo tmp > /var/tmp/t; echo in the volume > /kept/volume; touch of-the-workspace
sed -n 2p /decoy/ca.pem; echo "$API_KEY"`;

test('the next sandbox has all that was changed and deleted, and of the run that saved it no byte is left', async () => {
  const saved = await run(['--image', image.reference, '--user', 'root', '--volume', 'kept:/kept:64m', '--secret', 'API_KEY@api.example.test', '--snapshot-to', 'one'], CHANGES, { API_KEY: secret });
  expect(saved, saved.stderr).toMatchObject({ exitCode: 0 });
  const [authority = '', placeholder = ''] = saved.stdout.split('\n');
  const { digest } = saved.report!.snapshot!;
  expect(saved.report!.snapshot).toEqual({ name: 'one', digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(await footprint(saved.report!.id)).toEqual([]);

  const bytes = execFileSync('docker', ['save', digest], { maxBuffer: 2 ** 30 });
  const found = (text: string) => bytes.includes(text);
  // The control, and what the sandbox was shown.
  expect(['a marker that is kept', 'roots of the image', 'etc/keep'].map(found)).toEqual([true, true, true]);
  expect([authority.length, placeholder.length].every((length) => length > 40)).toBe(true);
  expect([authority, placeholder, secret, 'nameserver 127.0.0.1', 'in the volume', 'only in the workspace', 'usage: decoy-guest', '.decoy-held', '[safe]'].filter(found)).toEqual([]);

  const next = await run(['--snapshot-from', `one@${digest}`], `cat /opt/new /opt/second /opt/replaced/* /opt/became /opt/link/in /data/v /data/w ~/.config/h /etc/keep
ls -A /opt /opt/replaced; for gone in /etc/issue /tmp/t /run/run /var/tmp/t /kept /root/whiteout /.decoy-held; do test -e $gone && echo $gone; done; stat -c %h:%a:%u /opt/new; find / -xdev '(' -type c -o -type b -o -type p ')'; echo $OF_THE_IMAGE; touch ~/mine && id -u`);
  expect(next, next.stderr).toMatchObject({ exitCode: 0, report: { image: 'snapshot one', imageDigest: digest } });
  expect(next.stdout.replace(/\n\/dev\/.*/g, '')).toBe(`a marker that is kept\na marker that is kept\nn\nnow\nin\nvw\nh\nkept/opt:\nbecame\nlink\nnew\nreplaced\nsecond\ntool\n\n/opt/replaced:\nn\n2:4755:0\nyes\n${process.getuid!() || 1001}\n`);
}, 120_000);

test('it is the files that were recorded and no others: by digest, whatever a tag says', async () => {
  await using other = openTestImage({ entries: [...busybox('sh', 'echo'), file('etc/x', 'x'), file('other', '')] });
  const saved = await run(['--image', image.reference, '--user', 'root', '--snapshot-to', 'pinned'], 'echo 1 > /opt/pinned; exit 3');
  expect([saved.exitCode, saved.report!.snapshot?.name]).toEqual([3, 'pinned']);
  const tag = (await docker(['images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'])).stdout.split('\n').find((line) => line.endsWith(saved.report!.snapshot!.digest))!.split(' ')[0]!;
  await docker(['tag', other.id, tag]);
  const after = await run(['--snapshot-from', 'pinned'], 'cat /opt/pinned');
  await docker(['rmi', tag]);
  expect(after.stdout).toBe('1\n');
  const wrong = await run(['--snapshot-from', `pinned@sha256:${'0'.repeat(64)}`], 'echo ran');
  expect([wrong.exitCode, wrong.stdout, wrong.report!.error]).toEqual([125, '', expect.stringContaining('has the digest sha256:')]);
  // Somebody's container of it is not taken for one of Decoy's.
  const container = (await docker(['create', '--entrypoint', 'sh', saved.report!.snapshot!.digest])).stdout.trim();
  await decoy(['clean'], options());
  expect((await docker(['rm', container])).code).toBe(0);
}, 120_000);

test('on GitHub a pull request\'s snapshot is not there for a trusted run, and an event others can bring about saves none', async () => {
  const on = (event: string, ref: string) => ({ GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_EVENT_NAME: event, GITHUB_REF: ref, GITHUB_BASE_REF: event.startsWith('pull') ? 'main' : '' });
  const save = (where: Record<string, string>, text: string) => run(['--image', image.reference, '--user', 'root', '--snapshot-to', 'shared'], `echo ${text} > /opt/who`, where);
  const read = (where: Record<string, string>) => run(['--snapshot-from', 'shared'], 'cat /opt/who', where);
  expect((await save(on('pull_request', 'refs/pull/7/merge'), 'attacker')).exitCode).toBe(0);
  expect((await read(on('push', 'refs/heads/main'))).report!.error).toContain('there is no snapshot `shared` this run may start from');
  expect((await save(on('push', 'refs/heads/main'), 'trusted')).exitCode).toBe(0);
  expect([(await read(on('push', 'refs/heads/main'))).stdout, (await read(on('pull_request', 'refs/pull/7/merge'))).stdout, (await read(on('pull_request', 'refs/pull/8/merge'))).stdout]).toEqual(['trusted', 'attacker', 'trusted'].map((who) => expect.stringContaining(`\n${who}\n`)));
  const target = await save(on('pull_request_target', 'refs/heads/main'), 'attacker');
  expect([target.exitCode, target.report!.error]).toEqual([125, expect.stringContaining('may not be saved by pull_request_target')]);
  expect((await read(on('push', 'refs/heads/main'))).stdout).toContain('\ntrusted\n');
}, 180_000);

test('nothing is saved after a timeout or a cancellation, nor more than the disk may hold, holes included', async () => {
  const late = await run(['--image', image.reference, '--snapshot-to', 'late', '--timeout', '2s'], 'sleep 60');
  expect([late.exitCode, late.report!.snapshot, late.stderr]).toEqual([124, undefined, expect.stringContaining('the snapshot `late` was not saved')]);
  const cancelled = startDecoy(['--quiet', '--image', image.reference, '--snapshot-to', 'late', '--', 'sh', '-c', 'echo ready; sleep 60'], options());
  await cancelled.printed('ready');
  cancelled.kill('SIGTERM');
  expect((await cancelled.ended).report!.snapshot).toBe(undefined);
  const sparse = await run(['--image', image.reference, '--user', 'root', '--storage', '128m', '--snapshot-to', 'late'], 'truncate -s 100000000000 /opt/sparse');
  expect([sparse.exitCode, sparse.report!.conclusion, sparse.report!.error]).toEqual([125, 'error', expect.stringContaining('holes counted as if they were written')]);
  // The control: as many names of one file are no more than the file.
  const links = await run(['--image', image.reference, '--user', 'root', '--storage', '128m', '--snapshot-to', 'late'], 'head -c 30000000 /dev/zero > /opt/a; for n in 1 2 3 4 5 6 7 8 9; do ln /opt/a /opt/$n; done');
  expect([links.exitCode, links.report!.snapshot?.name]).toEqual([0, 'late']);
  const { stdout } = await docker(['image', 'inspect', '--format', '{{.Size}}', links.report!.snapshot!.digest]);
  expect(Number(stdout)).toBeLessThan(45_000_000);
  expect(readdirSync(path.join(folder, 'records')).filter((name) => name.endsWith('-late.json'))).toHaveLength(1);
}, 180_000);

test('what an attacker leaves in a snapshot leads the next run to nothing of Decoy\'s or the host\'s', async () => {
  const first = await run(['--image', image.reference, '--user', 'root', '--snapshot-to', 'hostile'], `set -e
rm -r /etc/ssl; ln -s /decoy /etc/ssl; ln -s /decoy /opt/led; ln -s /root /srv/x 2>/dev/null || true; cp /bin/busybox /opt/id; chmod 6755 /opt/id; rm /etc/passwd; ln -s /decoy/ca.pem /etc/passwd`);
  expect(first, first.stderr).toMatchObject({ exitCode: 0 });
  const second = await run(['--snapshot-from', 'hostile', '--snapshot-to', 'hostile'], 'head -n 1 /decoy/ca.pem /etc/ssl/certs/decoy-run-ca.pem; ls /decoy; cat /etc/passwd; /opt/id -u; mv ~ /home/moved && ln -s /decoy ~; true');
  expect(second, second.stderr).toMatchObject({ exitCode: 0 });
  expect(second.stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(second.stdout).toContain(`\n${process.getuid!() || 1001}\n`);
  expect(second.stdout).not.toMatch(/^certs$/m);
  const third = await run(['--snapshot-from', 'hostile', '--volume', 'led:/opt/led/x:64m'], 'echo ran');
  expect([third.exitCode, third.stdout, third.report!.error]).toEqual([125, '', expect.stringContaining('leads through a link or a file')]);
  // Root can replace the home directory of a snapshot; the next one is a directory all the same.
  const fourth = await run(['--snapshot-from', 'hostile', '--user', 'root', '--snapshot-to', 'hostile'], 'mv /home/runner /home/moved && ln -s /decoy /home/runner');
  expect(fourth, fourth.stderr).toMatchObject({ exitCode: 0 });
  const fifth = await run(['--snapshot-from', 'hostile'], 'stat -c %F ~; touch ~/a && echo written');
  expect(fifth.stdout).toBe('directory\nwritten\n');
}, 180_000);
