import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprint, settled } from './support/footprint.ts';
import { ensureRunsc } from './support/gvisor.ts';
import { runDecoy, startDecoy } from './support/run-decoy.ts';
import { busybox, directory, openTestImage } from './support/test-image.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I4 to I9, I11 to I13, on another kernel than the host's
const MIB = 2 ** 20;
const gvisor = ['--quiet', '--runtime', 'runsc'];

let workspace: Workspace;
beforeAll(async () => {
  await ensureRunsc();
  workspace = await openWorkspace();
}, 1_500_000);
afterAll(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => runDecoy([...gvisor, ...args], { cwd: workspace.path });

test.each<[string, string[], number, string]>([
  ['success', ['--', 'grep', '-q', 'Jan 10 15:06:54 PST 2016', '/proc/version'], 0, 'success'],
  ['an exit code', ['--', 'sh', '-c', 'exit 42'], 42, 'failure'],
  ['a signal', ['--', 'sh', '-c', 'kill -SEGV $$'], 139, 'failure'],
  ['no such command', ['--', 'no-such-program'], 127, 'failure'],
  ['no such directory', ['--working-directory', '/no/such', '--', 'true'], 125, 'error'],
  ['a timeout', ['--timeout', '1s', '--', 'python3', 'probes/cling.py', 'mark'], 124, 'timeout'],
  ['too much memory', ['--memory', '128m', '--', 'python3', 'probes/allocate.py', '256'], 137, 'oom'],
])('%s', async (_, args, exitCode, conclusion) => {
  const end = await run(...args);
  expect(end, end.stderr).toMatchObject({ exitCode, report: { conclusion, exitCode, runtime: 'runsc' } });
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test.each<[NodeJS.Signals, number]>([['SIGINT', 130], ['SIGTERM', 143]])('%s', async (signal, exitCode) => {
  const running = startDecoy([...gvisor, '--', 'sh', '-c', `trap 'echo told; exit 9' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`], { cwd: workspace.path });
  await running.printed('ready');
  running.kill(signal);
  expect(await running.ended).toMatchObject({ exitCode, stdout: 'ready\ntold\n', report: { conclusion: 'cancelled' } });
}, 60_000);

test.each(['runner', 'root'])('the disk, the processes and /dev/shm end at their caps, as %s', async (user) => {
  const end = await run('--user', user, '--storage', '64m', '--memory', '1g', '--pids', '64', '--', 'sh', '-c', 'python3 probes/fork.py 300; python3 probes/fill.py 1024 /dev/shm /var/tmp; exit 3');
  expect(end).toMatchObject({ exitCode: 3, report: { conclusion: 'storage' } });
  const forked = Number(/forked (\d+)/.exec(end.stdout)![1]);
  expect(forked).toBeGreaterThan(20);
  expect(forked).toBeLessThan(64);
  const filled = end.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { mebibytes: number; why: string });
  expect(filled.map(({ why }) => why)).toEqual(['ENOSPC', 'ENOSPC']);
  expect(filled[0]!.mebibytes).toBeLessThanOrEqual(512);
  expect(filled[1]!.mebibytes).toBeLessThanOrEqual(64);
  const { usage } = end.report!;
  expect(usage.storagePeakBytes).toBeGreaterThan(32 * MIB);
  expect(usage.storagePeakBytes).toBeLessThanOrEqual(64 * MIB);
  expect(usage.memoryPeakBytes).toBeGreaterThan(200 * MIB);
  expect(usage.memoryPeakBytes).toBeLessThanOrEqual(1024 * MIB);
}, 60_000);

test('users of many kinds do not make many times the processes', async () => {
  const script = 'import os, signal\nfor uid in range(2000, 2040):\n  for _ in range(20):\n    try:\n      if os.fork() == 0:\n        os.setuid(uid)\n        signal.pause()\n    except OSError:\n      pass\nprint("went on", flush=True)\n';
  const end = await run('--user', 'root', '--pids', '64', '--', 'python3', '-c', script);
  // Its threads on the host: 256 and three for each of 64.
  expect(end.report!.usage.pidsPeak).toBeGreaterThan(64);
  expect(end.report!.usage.pidsPeak).toBeLessThanOrEqual(448);
}, 60_000);

test('processor time stays at its share, and is counted', async () => {
  const { report } = await run('--cpus', '0.5', '--', 'python3', 'probes/spin.py', '2', '3');
  expect(report!.usage.cpuSeconds / report!.wallSeconds).toBeLessThan(0.6);
  expect(report!.usage.throttledSeconds).toBeGreaterThan(0);
}, 60_000);

test('a secret is swapped at its host and scrubbed from the answer; other names are blocked, and other addresses lead nowhere', async () => {
  await using upstream = await startUpstream((request, response) => void response.end(`got ${request.headers.authorization}`));
  const script = 'echo "$KEY"; curl -sS -H "Authorization: Bearer $KEY" https://api.example.test/; echo; curl -sS https://evil.example/; curl -sS -m 3 http://1.1.1.1/ || echo "no way $?"; exit 0';
  const end = await runDecoy([...gvisor, '--secret', 'KEY@api.example.test', ...upstream.resolve('api.example.test'), '--', 'sh', '-c', script], {
    cwd: workspace.path, env: { ...upstream.env, KEY: 'a-real-value-0123456789' },
  });
  const [placeholder] = end.stdout.split('\n');
  expect(end.stdout).toContain(`got Bearer ${placeholder}\n`);
  expect(end.stdout).toContain('no way 7');
  expect(end.stdout + end.stderr).not.toContain('a-real-value');
  expect(upstream.received.map(({ headers }) => headers.join())).toEqual([expect.stringContaining('Bearer a-real-value-0123456789')]);
  expect(end.report!.secrets).toMatchObject([{ name: 'KEY', substitutions: 1, scrubs: 1 }]);
  expect(end.report!.blocked).toMatchObject([{ host: 'evil.example' }]);
}, 60_000);

describe('the workspace', () => {
  test('comes out as a patch, and stays as it was', async () => {
    const before = readFileSync(path.join(workspace.path, 'probes/spin.py'), 'utf8');
    const end = await run('--', 'sh', '-c', 'echo "# more" >> probes/spin.py; echo new > new.txt; rm probes/fill.sh; chmod +x probes/fork.py');
    expect(end.report).toMatchObject({ conclusion: 'success', changes: { files: 4 } });
    expect(end.patch).toMatch(/\+# more/);
    expect(end.patch).toMatch(/deleted file mode \d+/);
    expect(end.patch).toMatch(/new mode 100755/);
    expect(readFileSync(path.join(workspace.path, 'probes/spin.py'), 'utf8')).toBe(before);
  }, 60_000);
});

test('an image runs, with what it has and under the same caps', async () => {
  await using image = openTestImage({ entries: [...busybox('sh', 'cat', 'uname', 'id'), directory('tmp', { mode: 0o1777 })] });
  const end = await run('--image', image.reference, '--workspace', 'none', '--user', 'root', '--', 'sh', '-c', 'id -u; uname -v; echo x > /tmp/y && cat /tmp/y');
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: '0\n#1 SMP Sun Jan 10 15:06:54 PST 2016\nx\n', report: { runtime: 'runsc', image: image.reference } });
}, 60_000);
