import { statfsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGuestImage, type GuestImage } from './guest-image.ts';
import { onHost } from './support/on-host.ts';
import { inPlainContainer } from './support/plain-container.ts';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace, probes, type Workspace } from './support/workspace.ts';

// I7, I12
let workspace: Workspace;
beforeAll(async () => { workspace = await openWorkspace(); });
afterAll(() => workspace[Symbol.asyncDispose]());

const python = '/usr/bin/python3';
const MIB = 2 ** 20;

describe('the disk', () => {
  let image: GuestImage;
  beforeAll(() => { image = openGuestImage(); }, 60_000);
  afterAll(() => image[Symbol.asyncDispose](), 60_000);

  test('takes no more than its cap, wherever is written, and the host\'s is not filled', async () => {
    const folders = ['/tmp', '/var/tmp', '/home/runner', '/root', '/run/lock', '/etc', '/usr/local', '/usr/bin', workspace.path];
    const free = () => { const { bavail, bsize } = statfsSync('/'); return bavail * bsize; };
    const before = free();
    const end = await runDecoy(
      ['--quiet', '--storage', '64m', '--memory', '512m', '--user', 'root', '--', 'sh', '-c', `${python} probes/fill.py 1024 /dev/shm ${folders.join(' ')}; exit 3`],
      { cwd: workspace.path },
    );
    const filled = parse(end.stdout);
    expect(filled.map(({ folder }) => folder)).toEqual(['/dev/shm', ...folders]);
    for (const { folder, why, mebibytes } of filled) {
      expect({ folder, why }).toEqual({ folder, why: 'ENOSPC' });
      expect(mebibytes).toBeLessThanOrEqual(folder === '/dev/shm' ? 256 : 64);
      expect(mebibytes).toBeGreaterThan(30);
    }
    expect(end).toMatchObject({ exitCode: 3, report: { conclusion: 'storage' } });
    const { usage } = end.report!;
    expect(usage.storagePeakBytes).toBeGreaterThan(32 * MIB);
    expect(usage.storagePeakBytes).toBeLessThanOrEqual(64 * MIB);
    expect(usage.memoryPeakBytes).toBeLessThanOrEqual(512 * MIB);
    // /dev/shm is memory, and counted as such.
    expect(usage.memoryPeakBytes).toBeGreaterThan(200 * MIB);
    // Others write to this disk, too, but not the gigabytes that nine times a gibibyte would be.
    expect(before - free()).toBeLessThan(1024 * MIB);
  }, 60_000);

  test('of a plain container has no cap: the same writer gets all it asks for', async () => {
    const { stdout } = await inPlainContainer(image, { argv: [python, '/etc/probes/fill.py', '128', '/run'] });
    expect(parse(stdout)).toEqual([{ folder: '/run', mebibytes: 128, why: null }]);
  }, 60_000);
});

test('twice the memory is out of memory, which on the host it is not', async () => {
  const end = await runDecoy(['--quiet', '--memory', '128m', '--', python, 'probes/allocate.py', '256'], { cwd: workspace.path });
  expect(end).toMatchObject({ exitCode: 137, report: { conclusion: 'oom', exitCode: 137 } });
  expect(end.stdout).not.toContain('allocated');
  expect(end.report!.usage.oomKills).toBeGreaterThan(0);
  expect(end.report!.usage.memoryPeakBytes).toBeLessThanOrEqual(128 * MIB);
  expect((await onHost([python, path.join(probes, 'allocate.py'), '256'])).stdout).toContain('allocated');
}, 60_000);

test('processes end at their cap, which on the host they do not', async () => {
  const end = await runDecoy(['--pids', '64', '--', python, 'probes/fork.py', '300'], { cwd: workspace.path });
  expect(end).toMatchObject({ exitCode: 0 });
  const forked = Number(/forked (\d+)/.exec(end.stdout)![1]);
  expect(forked).toBeGreaterThan(20);
  expect(forked).toBeLessThan(64);
  expect(end.report!.usage.pidsPeak).toBeLessThanOrEqual(64);
  expect(end.report!.usage.pidsRefused).toBeGreaterThan(0);
  expect(end.stderr).toMatch(/The cap of 64 processes and threads was reached/);
  expect((await onHost([python, path.join(probes, 'fork.py'), '300'])).stdout).toContain('forked 300');
}, 60_000);

test('processor time stays at its share, and is counted', async () => {
  const spin = async (cpus: string, processes: string) => {
    const { report } = await runDecoy(['--quiet', '--cpus', cpus, '--', python, 'probes/spin.py', processes, '3'], { cwd: workspace.path });
    return { share: report!.usage.cpuSeconds / report!.wallSeconds, throttledSeconds: report!.usage.throttledSeconds };
  };
  const half = await spin('0.5', '2');
  expect(half.share).toBeLessThan(0.6);
  expect(half.throttledSeconds).toBeGreaterThan(0);
  expect((await spin('1', '4')).share).toBeLessThan(1.15);
  // Must fail: where two processes have two processors to use, nothing holds them back. How much they get depends on the machine's load.
  const free = await spin('2', '2');
  expect(free.throttledSeconds).toBeLessThan(half.throttledSeconds / 2);
  expect(free.share).toBeGreaterThan(0);
}, 60_000);

test('a disk that has bytes left and no room for more files says which of the two it is', async () => {
  const script = 'i=0; until ! : > f$i; do i=$((i + 1)); done; echo $i; exit 3';
  const end = await runDecoy(['--storage', '64m', '--', 'bash', '-c', `cd /tmp; ${script}`], { cwd: workspace.path });
  expect(end, end.stderr).toMatchObject({ exitCode: 3, report: { conclusion: 'storage', usage: { storageFull: true, filesFull: true } } });
  expect(Number(end.stdout)).toBeGreaterThan(15_000);
  expect(Number(end.stdout)).toBeLessThan(16_384);
  expect(end.stderr.replaceAll(/\n +> /g, ' ')).toContain('The disk of 64 MiB had no room for more files and the command failed with exit code 3: raise storage, with which their number grows, or make fewer.');
}, 60_000);

test('even a run of a moment has used something', async () => {
  const { report } = await runDecoy(['--quiet', '--', 'sleep', '0.2'], { cwd: workspace.path });
  expect(report!.wallSeconds).toBeGreaterThanOrEqual(0.2);
  expect(report!.usage.cpuSeconds).toBeGreaterThan(0);
  // What the runtime needed to start it, ten times as much, is not the command's.
  expect(report!.usage.cpuSeconds).toBeLessThan(0.03);
  expect(report!.usage.memoryPeakBytes).toBeGreaterThan(100_000);
  expect(report!.usage.pidsPeak).toBeGreaterThan(1);
  expect(report!.usage.pidsRefused).toBe(0);
  expect(report!.usage.storagePeakBytes).toBeLessThan(MIB);
  expect(report!.samples.length).toBeGreaterThan(0);
}, 60_000);

function parse(text: string): { folder: string; mebibytes: number; why: string | null }[] {
  return text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as never);
}
