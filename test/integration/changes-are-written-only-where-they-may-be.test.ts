import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { openWorkspace, type Workspace } from './support/workspace.ts';

// I9
const run = (workspace: Workspace, script: string, ...options: string[]) =>
  runDecoy(['--quiet', '--workspace', 'write', ...options, '--', 'bash', '-euc', script], { cwd: workspace.path });

/** Everything in the workspace, with what a write would change. */
function list({ path: folder }: Workspace): string {
  return execFileSync('find', ['.', '-printf', '%P %y %m %s %l %i\n'], { cwd: folder, encoding: 'utf8' }).split('\n').sort().join('\n');
}

test('what the sandbox did to its copy is done to the workspace, to the byte', async () => {
  await using workspace = await openWorkspace();
  const at = (name: string) => path.join(workspace.path, name);
  mkdirSync(at('old/deep'), { recursive: true });
  writeFileSync(at('old/deep/file'), 'gone');
  writeFileSync(at('changed'), 'before\r\n');
  writeFileSync(at('.gitattributes'), '* text=auto eol=lf\n');
  chmodSync(at('changed'), 0o600);
  symlinkSync('changed', at('link'));
  const end = await run(workspace, [
    String.raw`printf 'after\r\n' > changed`, 'rm -r old', 'mkdir -p new/dir', String.raw`printf '\0\1\377' > new/dir/binary`, 'chmod 6755 new/dir/binary', 'ln -sfn new/dir link', 'mkfifo pipe',
  ].join('\n'));
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { conclusion: 'success', changes: { files: 4, written: true, leftOut: 1 } } });
  expect(readFileSync(at('changed'), 'utf8')).toBe('after\r\n');
  expect(lstatSync(at('changed')).mode & 0o7777).toBe(0o600);
  expect(existsSync(at('old'))).toBe(false);
  expect([...readFileSync(at('new/dir/binary'))]).toEqual([0, 1, 255]);
  expect(lstatSync(at('new/dir/binary')).mode & 0o7777).toBe(0o755);
  expect(readlinkSync(at('link'))).toBe('new/dir');
  expect(existsSync(at('pipe'))).toBe(false);
  expect(end.patch).toContain('GIT binary patch');
}, 60_000);

test('so it is when the command fails', async () => {
  await using workspace = await openWorkspace();
  const end = await run(workspace, 'echo x > new; exit 3');
  expect(end, end.stderr).toMatchObject({ exitCode: 3, report: { conclusion: 'failure', changes: { written: true } } });
  expect(readFileSync(path.join(workspace.path, 'new'), 'utf8')).toBe('x\n');
}, 60_000);

describe('the workspace stays as it was', () => {
  test.each<[string, string, string[], object]>([
    ['after a timeout', 'echo x > new; sleep 60', ['--timeout', '2s'], { exitCode: 124, report: { conclusion: 'timeout', changes: { files: 1, written: false } } }],
    ['after something was blocked, where that fails the run', 'echo x > new; curl -sS https://blocked.example.test/ || true', ['--fail-on-blocked'], { exitCode: 1, report: { conclusion: 'blocked', changes: { files: 1, written: false } } }],
  ])('%s', async (_, script, options, expected) => {
    await using workspace = await openWorkspace();
    const before = list(workspace);
    const end = await run(workspace, script, ...options);
    expect(end, end.stderr).toMatchObject(expected);
    expect(list(workspace)).toBe(before);
    expect(end.patch).toContain('+x');
  }, 60_000);

  // Each is done by root of the sandbox, and beside a harmless change, which must not come through either.
  test.each<[string, string, string]>([
    ['a workflow', 'mkdir -p .github/workflows; echo "on: push" > .github/workflows/x.yml', '`.github/workflows/x.yml` would run in workflows'],
    ['an action', 'echo "runs: {}" > action.yml', '`action.yml` would run in workflows'],
    ['workflows replaced by a link', 'rm -rf .github; mkdir there; ln -s there .github', '`.github` would run in workflows'],
    ['a link to a file of the host', 'ln -s /etc/passwd leak', '`leak` leads out of the workspace, to `/etc/passwd`'],
    ['a link that climbs', 'mkdir -p a/b; ln -s ../../../up a/b/leak', '`a/b/leak` leads out of the workspace, to `../../../up`'],
    ['links that climb together', 'mkdir a; ln -s . a/k; ln -s k/../.. a/leak', '`a/leak` leads out of the workspace, to `k/../..`'],
    ['a repository without .git', 'git init -q --bare evil; printf "[core]\\nfsmonitor = touch /tmp/owned\\n" >> evil/config; touch evil/objects/x evil/refs/heads/main', '`evil` is a repository to git'],
    ['the directory that changes are laid ready in', 'id=$(sed -n "s/.*decoy-\\([0-9a-f]\\{12\\}\\)-disk.*/\\1/p" /proc/self/mountinfo | head -1); mkdir -p .decoy-changes-$id/2 d/d; echo x > .decoy-changes-$id/2/victim; ln -s ../../outside d/d/link', 'has a name that Decoy takes for itself'],
    ['a workflow of a checkout further down', 'mkdir -p main/.github/workflows; echo x > main/.github/workflows/x.yml', '`main/.github/workflows/x.yml` would run in workflows'],
    ["a link to git's hooks", 'ln -s .git/hooks shortcut', '`shortcut` leads to what git or GitHub executes'],
  ])('%s', async (_, script, problem) => {
    await using workspace = await openWorkspace();
    mkdirSync(path.join(workspace.path, '.github'));
    const before = list(workspace);
    const end = await run(workspace, `echo x > harmless; ${script}`, '--user', 'root');
    expect(end, end.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error', changes: { written: false } } });
    expect(end.report!.error).toContain(problem);
    expect(end.report!.error).toContain('Use `workspace: copy`');
    expect(list(workspace)).toBe(before);
  }, 60_000);
});

test('a file without room in the patch is named, and the rest comes out; with write, all of it is refused', async () => {
  await using workspace = await openWorkspace();
  const before = list(workspace);
  const script = 'head -c 110000000 /dev/urandom > big; head -c 95000000 /dev/urandom > half; echo hi > small';
  const copied = await runDecoy(['--workspace', 'copy', '--', 'bash', '-euc', script], { cwd: workspace.path });
  expect(copied, copied.stderr).toMatchObject({ exitCode: 0, report: { conclusion: 'success', changes: { files: 1, insertions: 1, leftOut: 2 } } });
  expect(copied.report!.changes.problem).toBeUndefined();
  expect(copied.patch).toContain('+hi');
  expect(copied.patch).not.toContain('half');
  expect(copied.stderr).toContain('`big` is not in the patch: it has 110000000 bytes, and a patch at most 104857600');
  expect(copied.stderr).toContain('`half` is not in the patch: with it the patch would have more than 104857600 bytes');

  const refused = await run(workspace, script);
  expect(refused, refused.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error', changes: { files: 1, leftOut: 2, written: false } } });
  expect(refused.report!.error).toContain('nothing was written to the workspace: `big` has no room');
  expect(refused.patch).toContain('+hi');
  expect(list(workspace)).toBe(before);
}, 120_000);

test('what has room in the patch and not as files is refused with write, by name', async () => {
  await using workspace = await openWorkspace();
  const refused = await run(workspace, 'truncate -s 60M a b; echo hi > small');
  expect(refused, refused.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error', changes: { files: 3, written: false } } });
  expect(refused.report!.error).toContain('nothing was written to the workspace: `b` has no room');
  expect(refused.patch).toContain('+hi');
  expect(existsSync(path.join(workspace.path, 'small'))).toBe(false);
}, 60_000);

// Where Decoy is not root it cannot make another user's file.
test.runIf(process.getuid?.() === 0)('what the sandbox could rename but not read stays where it is, and the rest is written', async () => {
  await using workspace = await openWorkspace();
  const at = (name: string) => path.join(workspace.path, name);
  for (const [name, uid, mode] of [['closed', 4242, 0o600], ['open', 4242, 0o644], ['users', 1001, 0o600]] as const) {
    writeFileSync(at(name), `content of ${name}`);
    chownSync(at(name), uid, uid);
    chmodSync(at(name), mode);
  }
  mkdirSync(at('folder'), { mode: 0o700 });
  writeFileSync(at('folder/inside'), 'content of inside');
  chownSync(at('folder'), 4242, 4242);
  const end = await run(workspace, 'for name in closed open users folder; do cat $name >/dev/null 2>&1 && echo "read $name"; mv $name moved-$name; done');
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { changes: { written: true } } });
  // Before Linux 6.15 every file becomes the user's, who may read it then.
  if (end.stdout.includes('read closed')) return;
  expect(end.stdout).toBe('read open\n');
  expect(end.patch).toContain('moved-open');
  expect(end.patch).not.toMatch(/closed|users|inside/);
  expect(existsSync(at('moved-open'))).toBe(true);
  for (const name of ['moved-closed', 'moved-users', 'moved-folder']) expect(existsSync(at(name)), name).toBe(false);
  expect(lstatSync(at('closed'))).toMatchObject({ uid: 4242, mode: 0o100600 });
  expect(readFileSync(at('folder/inside'), 'utf8')).toBe('content of inside');
}, 60_000);

test('hooks and configuration planted in .git stay in the sandbox, and the rest is written', async () => {
  await using workspace = await openWorkspace();
  execFileSync('git', ['init', '-q'], { cwd: workspace.path });
  const configuration = readFileSync(path.join(workspace.path, '.git/config'), 'utf8');
  const end = await run(workspace, [
    'printf "#!/bin/sh\\ntouch /tmp/owned\\n" > .git/hooks/post-checkout', 'chmod +x .git/hooks/post-checkout', 'git config core.fsmonitor "touch /tmp/owned"',
    'mkdir -p sub; git init -q sub', 'git -C sub config core.pager "touch /tmp/owned"', 'echo x > sub/file', 'mkdir -p "sub/.Git"; echo x > "sub/.Git/config"',
  ].join('\n'));
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { changes: { written: true } } });
  expect(readFileSync(path.join(workspace.path, 'sub/file'), 'utf8')).toBe('x\n');
  for (const name of ['.git/hooks/post-checkout', 'sub/.git', 'sub/.Git']) expect(existsSync(path.join(workspace.path, name)), name).toBe(false);
  expect(readFileSync(path.join(workspace.path, '.git/config'), 'utf8')).toBe(configuration);
}, 60_000);

test('the checks have something to refuse: without them the same changes leave the workspace', async () => {
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--quiet', '--workspace', 'copy', '--', 'bash', '-euc', 'ln -s /etc/passwd leak'], { cwd: workspace.path });
  execFileSync('git', ['apply'], { cwd: workspace.path, input: end.patch });
  expect(readlinkSync(path.join(workspace.path, 'leak'))).toBe('/etc/passwd');
}, 60_000);
