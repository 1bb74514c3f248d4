import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { onHost } from './support/on-host.ts';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace, probes } from './support/workspace.ts';

// I9
/** Every file with all that a write, a chmod or a chown would change. */
async function list(folders: string[]): Promise<string[]> {
  const { stdout } = await onHost(['find', ...folders, '-xdev', '-printf', '%p %y %m %U:%G %s %T@ %C@ %i\n']);
  return stdout.split('\n').filter((line) => line !== '' && !line.includes('__pycache__')).sort();
}

function difference(before: string[], after: string[]): string[] {
  const [first, second] = [new Set(before), new Set(after)];
  return [...before.filter((line) => !second.has(line)).map((line) => `- ${line}`), ...after.filter((line) => !first.has(line)).map((line) => `+ ${line}`)];
}

test('root of the sandbox writes, removes and hands over files everywhere, and the host has none of it', async () => {
  await using workspace = await openWorkspace();
  mkdirSync(path.join(workspace.path, 'src'));
  writeFileSync(path.join(workspace.path, 'src/file'), 'as it was\n');
  const inside = ['/usr', '/usr/bin', '/usr/local', '/usr/local/bin', '/etc', '/etc/ssl', '/var', '/root', '/home', '/tmp', workspace.path, `${workspace.path}/src`];
  const watched = ['/usr', '/etc', '/root/.bashrc', '/root/.profile', '/home', '/opt', workspace.path];
  const before = await list(watched);
  const end = await runDecoy(['--quiet', '--user', 'root', '--', 'sh', 'probes/write-everywhere.sh', ...inside], { cwd: workspace.path });
  const after = await list(watched);
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  // It did write: each of these, and removed files of the host's.
  expect([...end.stdout.matchAll(/^wrote (.*)$/gm)].map(([, folder]) => folder)).toEqual(inside);
  expect(end.stdout).toContain(`removed ${workspace.path}/src/file`);
  expect(end.stdout).toMatch(/^removed \/usr\//m);
  expect(difference(before, after)).toEqual([]);
  // The workspace's changes come out as a patch, and only so.
  expect(end.patch).toContain('-as it was');
  expect(end.report!.changes.files).toBeGreaterThan(1);
}, 60_000);

test('the same writer does change a directory it is let loose on', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'integration-victim-'));
  writeFileSync(path.join(folder, 'file'), 'as it was\n');
  const before = await list([folder]);
  await onHost(['sh', path.join(probes, 'write-everywhere.sh'), folder]);
  expect(difference(before, await list([folder])).length).toBeGreaterThan(2);
  rmSync(folder, { recursive: true });
});

test('a read-only workspace cannot be written to, and none is not there', async () => {
  await using workspace = await openWorkspace();
  const script = `echo "SEES $(ls -A ${workspace.path} 2>/dev/null)"; for f in ${workspace.path}/new ${workspace.path}/probes/new; do echo x > $f && echo WROTE; done; rm -rf ${workspace.path}/probes && echo REMOVED; exit 0`;
  const run = (mode: string) => runDecoy(['--quiet', '--user', 'root', '--workspace', mode, '--', 'sh', '-c', script], { cwd: workspace.path });
  const [copy, readOnly, none] = [await run('copy'), await run('read-only'), await run('none')];
  expect(copy.stdout).toMatch(/SEES probes\n(WROTE\n){2}REMOVED/);
  expect(readOnly.stdout).toBe('SEES probes\n');
  expect(none.stdout).toMatch(/^SEES \n/);
  expect((await list([workspace.path])).filter((line) => /\/new /.test(line))).toEqual([]);
}, 60_000);
