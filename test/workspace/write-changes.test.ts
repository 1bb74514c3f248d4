import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChangedEntry } from '../../src/workspace/changed-entry.ts';
import { writeChanges } from '../../src/workspace/write-changes.ts';

let folder: string;
let workspace: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'write-changes-'));
  workspace = path.join(folder, 'workspace');
  fs.mkdirSync(workspace);
  fs.writeFileSync(path.join(folder, 'outside'), 'outside');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const file = (name: string, content = 'new', executable = false): ChangedEntry => ({ path: name, kind: 'file', executable, content: Buffer.from(content) });
const removed = (name: string): ChangedEntry => ({ path: name, kind: 'removed' });
const link = (name: string, target: string): ChangedEntry => ({ path: name, kind: 'link', target: Buffer.from(target) });
const write = (entries: ChangedEntry[]) => writeChanges(entries, { workspacePath: workspace });

function given(script: string): void {
  execFileSync('bash', ['--norc', '-euc', script], { cwd: workspace });
}

/** Every path with its kind, mode and content; directories have no content. */
function tree(): string[] {
  const script = String.raw`find . -mindepth 1 \( -type d -printf '%P/\n' -o -type l -printf '%P -> %l\n' -o -printf '%P %m ' -exec cat {} \; -printf '\n' \)`;
  return execFileSync('bash', ['--norc', '-euc', script], { cwd: workspace, encoding: 'utf8' }).split('\n').filter(Boolean).sort();
}

describe('done as the sandbox did it', () => {
  test.each<[string, string, ChangedEntry[], string[]]>([
    ['new files in new directories', '', [file('a/b/c'), file('d', 'run', true)], ['a/', 'a/b/', 'a/b/c 644 new', 'd 755 run']],
    ['changed content', 'echo -n old > a', [file('a')], ['a 644 new']],
    ['who may read stays', 'echo -n old > a; chmod 600 a; echo -n old > b; chmod 640 b', [file('a'), file('b', 'run', true)], ['a 600 new', 'b 750 run']],
    ['no longer executable', 'echo -n old > a; chmod 755 a', [file('a')], ['a 644 new']],
    ['removed, with the directories that are empty then', 'mkdir -p a/b c; touch a/b/x c/x c/y', [removed('a/b/x'), removed('c/x')], ['c/', 'c/y 644 ']],
    ['removed already', '', [removed('a/b')], []],
    ['a file becomes a directory', 'touch a', [removed('a'), file('a/b')], ['a/', 'a/b 644 new']],
    ['a directory becomes a file', 'mkdir -p a/b/empty; touch a/b/x', [file('a'), removed('a/b/x')], ['a 644 new']],
    ['a directory becomes a link', 'mkdir a b; touch a/x b/x', [removed('a/x'), link('a', 'b')], ['a -> b', 'b/', 'b/x 644 ']],
    ['a link becomes a directory', 'mkdir b; touch b/x; ln -s b a', [removed('a'), file('a/x')], ['a/', 'a/x 644 new', 'b/', 'b/x 644 ']],
    ['a link becomes a file, and where it led stays', 'echo -n old > b; ln -s b a', [file('a')], ['a 644 new', 'b 644 old']],
    ['another target', 'ln -s b a', [link('a', 'c/d')], ['a -> c/d']],
    ['one of two hard links', 'echo -n old > a; ln a b', [file('a')], ['a 644 new', 'b 644 old']],
    ['odd names', '', [file('-rf'), file('a b\\"c')], ['-rf 644 new', 'a b\\"c 644 new']],
  ])('%s', async (_, before, entries, after) => {
    given(before);
    expect(await write(entries)).toEqual({ ok: true });
    expect(tree()).toEqual(after);
  });

  test('bytes of names that are no UTF-8', async () => {
    expect(await write([file('a\xff')])).toEqual({ ok: true });
    expect(fs.readdirSync(workspace, { encoding: 'latin1' })).toEqual(['a\xff']);
  });

  test.runIf(process.getuid!() === 0)('for whoever owns the workspace', async () => {
    fs.chownSync(workspace, 1234, 4321);
    expect(await write([file('a/b'), link('l', 'a')])).toEqual({ ok: true });
    for (const name of ['a', 'a/b', 'l']) expect(fs.lstatSync(path.join(workspace, name)), name).toMatchObject({ uid: 1234, gid: 4321 });
  });
});

describe('left as it was', () => {
  test.each<[string, string, ChangedEntry[], RegExp]>([
    ['what leads out', '', [file('ok'), file('../x')], /^the changes were not written to the workspace: `\.\.\/x` is no path within the workspace\. Use `workspace: copy`/],
    ['more than is told', '', ['a', 'b', 'c', 'd', 'e'].map((name) => link(name, '/x')), /; the symbolic link `c` leads out of the workspace, to `\/x`, and 2 more\. Use/],
    ['a way through a link', 'ln -s .. up', [file('ok'), file('up/outside')], /`up` is no directory there/],
    ['a way through a link, for a removal', 'ln -s .. up', [removed('up/outside')], /`up` is no directory there/],
    ['a way through a file', 'touch a', [file('a/b')], /`a` is no directory there/],
    ['a file in the place of a directory that is not empty', 'mkdir a; touch a/ignored a/x', [removed('a/x'), file('a')], /`a` is a directory there, with `a\/ignored` in it/],
    ['a repository without .git', 'mkdir x', [file('x/HEAD'), file('x/config'), file('x/objects/info/a'), file('x/refs/heads/main')], /`x` is a repository to git/],
    ['a repository whose store is elsewhere', '', [file('tools/HEAD'), file('tools/commondir', 'c'), file('tools/c/objects/k'), file('tools/c/refs/k'), file('tools/config.worktree')], /`tools` is a repository to git/],
    ['a store beside a file called HEAD', 'mkdir docs; touch docs/HEAD', [file('docs/objects/k'), file('docs/refs/k'), file('docs/config')], /`docs` is a repository to git/],
    ['a change within a repository without .git', 'git init -q --bare fixtures/repo.git', [file('fixtures/repo.git/config')], /`fixtures\/repo\.git` is a repository to git/],
    ['a hook of one, further down', 'git init -q --bare repo', [file('repo/hooks/post-receive', 'x', true)], /`repo` is a repository to git/],
    ['the workspace as a repository', '', [file('HEAD'), file('objects/k'), file('refs/k')], /`\.` is a repository to git/],
    ['a removal of a directory', 'mkdir a; touch a/x', [removed('a')], /`a` is a directory there/],
  ])('%s', async (_, before, entries, problem) => {
    given(before);
    const was = tree();
    expect(await write(entries)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
    expect(tree()).toEqual(was);
    expect(fs.readFileSync(path.join(folder, 'outside'), 'utf8')).toBe('outside');
  });

  test('a link that would lead out of another directory than its own', async () => {
    // Laid ready one directory higher than it belongs, it would lead to `outside`; nothing may be written through it there.
    const entries = [0, 1, 2, 3].flatMap((index) => [file(`.decoy-changes-0123456789ab/${index}/outside`)]);
    expect(await write([...entries, link('d/d/link', '../../x')])).toMatchObject({ ok: false });
    expect(await write([link('d/d/link', '../../x'), file('d/d/file')])).toEqual({ ok: true });
    expect(tree()).toEqual(['d/', 'd/d/', 'd/d/file 644 new', 'd/d/link -> ../../x']);
  });

  test('no room for all of it', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', workspace]);
    try {
      given('echo -n old > a');
      const written = await write([removed('a'), file('b', 'x'.repeat(1 << 20))]);
      expect(written).toEqual({ ok: false, problem: expect.stringMatching(/^the changes were not written to the workspace: ENOSPC/) });
      expect(tree()).toEqual(['a 644 old']);
    } finally {
      execFileSync('umount', [workspace]);
    }
  });
});
