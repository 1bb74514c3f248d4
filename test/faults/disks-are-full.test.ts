import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { decoy, runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace } from '../integration/support/workspace.ts';
import { asRoot, openOwnEngine } from './support/own-engine.ts';

// I11, I13, I14
test('the engine\'s disk: at the start nothing is begun, in the middle the run ends, and no lost write passes for a success', async () => {
  await using workspace = await openWorkspace();
  await using engine = await openOwnEngine({ dataBytes: 160 * 2 ** 20 });
  const options = { cwd: workspace.path, env: { DOCKER_HOST: engine.dockerHost } };
  const run = (script: string) => runDecoy(['--quiet', '--', 'sh', '-c', script], options);

  // The control: a file that fits is kept, to the last byte.
  const fitting = await run('head -c 9000000 /dev/zero | tr "\\0" x > file; sync');
  expect([fitting.exitCode, fitting.patch.includes(`+${'x'.repeat(9_000_000)}`)]).toEqual([0, true]);

  // The command itself is told of nothing: its writes are in memory when there is no more room.
  const end = await run('head -c 300000000 /dev/urandom > /tmp/file && sync && echo written; true');
  expect(end, end.stderr).toMatchObject({ exitCode: 125, stdout: 'written\n', patch: '', report: { conclusion: 'error' } });
  expect(end.report!.error).toMatch(/^the disk of the Docker engine's host is full, and what the command wrote is lost in part: make room there/);
  expect(await settled(() => engine.leftovers())).toEqual([]);

  await engine.inside('sh', '-c', `cat /dev/zero > ${engine.dataRoot}/ballast`);
  const beginning = await run('echo ran');
  expect(beginning, beginning.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error' } });
  // Docker 20.10 now and then misses a directory that it had no room for.
  expect(beginning.report!.error).toMatch(/no space left on device.*: make room on the disk of the Docker engine|^cannot create .*: chown .*: no such file or directory/);
  expect(await decoy(['clean'], options)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await settled(() => engine.leftovers())).toEqual([]);

  await engine.inside('rm', `${engine.dataRoot}/ballast`);
  expect(await run('echo ran')).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
}, 120_000);

test('the directory of the run: nothing is started', async () => {
  const program = path.resolve(import.meta.dirname, '../../dist/cli.js');
  // A file system that has room for its own top directory, in a namespace of its own.
  const script = 'mount -t tmpfs -o nr_inodes=1 tmpfs /mnt && cd /var/empty 2>/dev/null || cd /; TMPDIR=/mnt exec "$@"';
  const child = spawn(...asRoot('unshare', '--mount', 'sh', '-c', script, 'sh', process.execPath, program, 'run', '--workspace', 'none', '--', 'echo', 'ran'), { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect([stdout, code]).toEqual(['', 125]);
  expect(stderr.replaceAll(/\n(?: {2}> )?\s*/g, ' ')).toMatch(/cannot make the run's directory `\/mnt\/decoy-[0-9a-f]{12}` \(ENOSPC\): make room on that disk, or set TMPDIR to another directory/);
}, 60_000);

test('the audit log: the run ends, as nothing goes on without its record', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const script = 'echo ready; curl -sS https://allowed.example.test/first; while :; do curl -sS https://allowed.example.test/later; sleep 0.5; done';
  const file = path.join(os.tmpdir(), `${path.basename(workspace.path)}.json`);
  try {
    const args = ['run', '--quiet', '--report', file, '--audit-log', '/dev/full', '--allow', 'allowed.example.test', ...upstream.resolve('allowed.example.test'), '--', 'sh', '-c', script];
    const { exitCode, stderr } = await decoy(args, { cwd: workspace.path, env: upstream.env });
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    expect([exitCode, report.conclusion, report.exitCode], stderr).toEqual([125, 'error', 125]);
    expect(report.error).toMatch(/^the audit log could not be written, so the run was ended: cannot write .*\/dev\/full.* \(ENOSPC\): make room on that disk, or write a path on another$/);
    expect(await settled(() => footprint(report.id))).toEqual([]);
  } finally {
    rmSync(file, { force: true });
  }
}, 60_000);

test.each(['--report', '--patch', '--html'])('%s that does not fit is told, and is no success', async (option) => {
  await using workspace = await openWorkspace();
  const end = await decoy(['run', '--quiet', option, '/dev/full', '--', 'sh', '-c', 'echo changed > file'], { cwd: workspace.path });
  expect(end).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(new RegExp(`${option}: cannot write .*/dev/full.* \\(ENOSPC\\): make room on that disk`)) });
}, 60_000);
