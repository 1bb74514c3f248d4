import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { openCgroup, type CgroupReader } from '../../src/sandbox/cgroup-reader.ts';
import { parseDockerStats } from '../../src/usage/parse-docker-stats.ts';
import type { CounterReading } from '../../src/usage/usage.ts';
import { startContainer } from './start-container.ts';

const busy = 'while :; do :; done';

/** Reads until `isEnough`, for at most 20 seconds. */
async function readUntil(reader: CgroupReader, isEnough: (reading: CounterReading) => boolean): Promise<CounterReading> {
  const startedAt = Date.now();
  for (;;) {
    const reading = await reader.read(Date.now() - startedAt);
    if (reading === null) throw new Error('the cgroup went away');
    if (isEnough(reading)) return reading;
    if (Date.now() - startedAt > 20_000) throw new Error(`not reached in 20 s, last ${JSON.stringify(reading)}`);
    await delay(50);
  }
}

test('a busy container: the counters rise, agree with the engine, and end with the container', { timeout: 60_000 }, async () => {
  await using container = await startContainer(`sleep 1000 & ${busy}`, ['--cpus', '0.2', '--memory', '128m', '--pids-limit', '50']);
  await using reader = await openCgroup(container.pid, { containerId: container.id });
  if (!reader) throw new Error('no cgroup found');

  const first = (await reader.read(0))!;
  const later = await readUntil(reader, (reading) => reading.cpuSeconds >= first.cpuSeconds + 0.2 && reading.throttledSeconds > 0);
  expect(later.cpuUserSeconds + later.cpuSystemSeconds).toBeCloseTo(later.cpuSeconds, 9);
  expect(later.memoryBytes).toBeGreaterThan(50_000);
  expect(later.memoryPeakBytes).toBeGreaterThanOrEqual(later.memoryBytes);
  expect(later).toMatchObject({ pids: 2, oomKills: 0 });
  expect(await reader.processCount()).toBe(2);

  const before = (await reader.read(1))!;
  const engine = parseDockerStats(await engineStats(container.id), 2)!;
  const after = (await reader.read(3))!;
  expect(engine.cpuSeconds).toBeGreaterThanOrEqual(before.cpuSeconds);
  expect(engine.cpuSeconds).toBeLessThanOrEqual(after.cpuSeconds);
  expect(engine.pids).toBe(2);
  expect(Math.abs(engine.memoryBytes - after.memoryBytes)).toBeLessThan(2 ** 20);

  await container.remove();
  expect(await reader.read(4)).toBeNull();
  expect(await reader.processCount()).toBeNull();
  expect(await openCgroup(container.pid, { containerId: container.id })).toBeNull();
});

test('a process killed at the memory cap is counted', { timeout: 60_000 }, async () => {
  await using container = await startContainer('tail /dev/zero; sleep 1000', ['--memory', '32m', '--memory-swap', '32m']);
  await using reader = await openCgroup(container.pid, { containerId: container.id });
  const reading = await readUntil(reader!, ({ oomKills }) => oomKills > 0);
  expect(reading.oomKills).toBe(1);
  expect(reading.memoryPeakBytes).toBeGreaterThan(30 * 2 ** 20);
  expect(reading.memoryPeakBytes).toBeLessThanOrEqual(32 * 2 ** 20);
});

test('a process of another container, or of none, is not taken for the sandbox', { timeout: 60_000 }, async () => {
  await using container = await startContainer(busy, ['--cpus', '0.1']);
  expect(await openCgroup(container.pid, { containerId: 'f'.repeat(64) })).toBeNull();
  expect(await openCgroup(process.pid, { containerId: container.id })).toBeNull();
  expect(await openCgroup(2 ** 30, { containerId: container.id })).toBeNull();
});

test.skipIf(process.getuid?.() !== 0)('an unprivileged user can read, too', { timeout: 60_000 }, async () => {
  await using container = await startContainer(busy, ['--cpus', '0.1']);
  await using directory = await temporaryDirectory();
  await chmod(directory.path, 0o755);
  const program = join(directory.path, 'read.mjs');
  const entry = `import { openCgroup } from './src/sandbox/cgroup-reader.ts';
    const reader = await openCgroup(${container.pid}, { containerId: '${container.id}' });
    console.log(JSON.stringify({ uid: process.getuid(), reading: await reader?.read(1), processes: await reader?.processCount() }));`;
  await build({ stdin: { contents: entry, resolveDir: process.cwd() }, bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'silent' });
  const { stdout } = await promisify(execFile)(process.execPath, [program], { uid: 65534, gid: 65534, cwd: '/' });
  expect(JSON.parse(stdout)).toMatchObject({ uid: 65534, reading: { atMs: 1, pids: 1 }, processes: 1 });
});

// This machine may have cgroup v1 only: the texts are as the kernel's documentation gives them.
test.each([
  { case: 'Linux 6.1 and later', peaks: { 'memory.peak': '4194304\n', 'pids.peak': '9\n' }, memoryPeakBytes: 4194304, pidsPeak: 9 },
  { case: 'before Linux 5.19', peaks: {}, memoryPeakBytes: 1048576, pidsPeak: null },
])('cgroup v2, $case', async ({ peaks, memoryPeakBytes, pidsPeak }) => {
  await using directory = await temporaryDirectory();
  const id = 'ab'.repeat(32);
  const scope = join(directory.path, `cg/system.slice/docker-${id}.scope`);
  await writeFiles(scope, {
    'cpu.stat': 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 4\nnr_throttled 1\nthrottled_usec 350000\n',
    'memory.current': '1048576\n',
    'memory.events': 'low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n',
    'pids.current': '3\n',
    'pids.events': 'max 4\n',
    'cgroup.procs': '101\n102\n',
    ...peaks,
  });
  await writeFiles(join(directory.path, 'proc/101'), { cgroup: `0::/system.slice/docker-${id}.scope\n` });
  await writeFiles(join(directory.path, 'proc/self'), { mountinfo: `30 23 0:26 / ${directory.path}/cg rw - cgroup2 cgroup2 rw,nsdelegate\n` });

  await using reader = await openCgroup(101, { containerId: id, procPath: join(directory.path, 'proc') });
  expect(await reader?.read(7)).toEqual({
    atMs: 7, cpuSeconds: 2.5, cpuUserSeconds: 2, cpuSystemSeconds: 0.5, throttledSeconds: 0.35,
    memoryBytes: 1048576, memoryPeakBytes, oomKills: 1, pids: 3, pidsPeak, pidsRefused: 4,
  });
  expect(await reader?.processCount()).toBe(2);
  await writeFile(join(scope, 'pids.current'), '12\n');
  expect((await reader?.read(8))?.pids, 'read anew').toBe(12);
  await reader![Symbol.asyncDispose]();
  expect(await reader!.read(9), 'after disposal').toBeNull();
});

test('cgroup v2 without the memory controller: no reader, so that the caller asks the engine', async () => {
  await using directory = await temporaryDirectory();
  await writeFiles(join(directory.path, 'cg/a'), { 'cpu.stat': 'usage_usec 1\n', 'pids.current': '1\n' });
  await writeFiles(join(directory.path, 'proc/101'), { cgroup: '0::/a\n' });
  await writeFiles(join(directory.path, 'proc/self'), { mountinfo: `30 23 0:26 / ${directory.path}/cg rw - cgroup2 cgroup2 rw\n` });
  expect(await openCgroup(101, { procPath: join(directory.path, 'proc') })).toBeNull();
});

async function temporaryDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'decoy-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function writeFiles(directory: string, files: Record<string, string>): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
}

function engineStats(id: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const path = `/containers/${id}/stats?stream=false&one-shot=true`;
    request({ socketPath: '/var/run/docker.sock', path }, (response) => resolve(json(response))).once('error', reject).end();
  });
}
