import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPolicy } from '../../../src/inputs/policy/read-policy.ts';

let folder: string;
beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'read-policy-')); });
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const FILE = '.github/decoy.yml';
const BASE = 'allow:\n  - base.test\n  - both.test\n';

/** A repository with a base commit and, checked out, a pull request's that allows more. */
function makeRepository({ name = 'repo', head = 'allow:\n  - evil.test\n  - both.test\n' as string | null, format = 'sha1' } = {}) {
  const directory = path.join(folder, name);
  fs.mkdirSync(path.join(directory, '.github'), { recursive: true });
  const git = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.test', ...args], { cwd: directory, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  };
  git('init', '-q', '-b', 'main', `--object-format=${format}`);
  write(directory, BASE);
  git('add', '.');
  git('commit', '-qm', 'base');
  const base = git('rev-parse', 'HEAD');
  if (head === null) fs.rmSync(path.join(directory, FILE));
  else write(directory, head);
  git('commit', '-qam', 'head', '--allow-empty');
  return { directory, git, base, head: git('rev-parse', 'HEAD') };
}

function write(directory: string, text: string): void {
  fs.writeFileSync(path.join(directory, FILE), text);
}

function environmentOf(event: string, payload: unknown, more: Record<string, string> = {}) {
  const file = path.join(folder, `event-${fs.readdirSync(folder).length}.json`);
  fs.writeFileSync(file, typeof payload === 'string' ? payload : JSON.stringify(payload));
  return { PATH: process.env['PATH'], GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: file, ...more };
}

const read = (directory: string, environment: Record<string, string | undefined>, given = FILE) => readPolicy(given, { workspacePath: directory, environment });
const ofPull = (base: string) => ({ pull_request: { base: { sha: base } } });

test.each(['sha1', 'sha256'])('on a pull request it is the base commit\'s, and the change is told and not obeyed (%s)', (format) => {
  const { directory, base } = makeRepository({ format });
  for (const event of ['pull_request', 'pull_request_target', 'pull_request_review', 'pull_request_review_comment']) {
    const policy = read(directory, environmentOf(event, ofPull(base)));
    expect(policy.problems).toEqual([]);
    expect(policy.inputs.allow).toEqual(['base.test', 'both.test']);
    expect(policy.warnings).toEqual([`policy: \`${FILE}\` is changed in what is checked out, which is not obeyed; the one of the commit ${base.slice(0, 12)} holds. The change from line 2 on: - \`- base.test\`, + \`- evil.test\``]);
  }
  expect(read(directory, environmentOf('merge_group', { merge_group: { base_sha: base } })).inputs.allow).toEqual(['base.test', 'both.test']);
  expect(read(directory, environmentOf('issue_comment', {}, { GITHUB_SHA: base })).inputs.allow).toEqual(['base.test', 'both.test']);
  for (const event of ['repository_dispatch', 'workflow_dispatch']) expect(read(directory, environmentOf(event, {}, { GITHUB_SHA: base })).inputs.allow).toEqual(['base.test', 'both.test']);
  expect(read(directory, environmentOf('something_new', {}, { GITHUB_SHA: base })).inputs.allow).toEqual(['base.test', 'both.test']);
  // The control: where workflow and tree are of one commit, or there is no event, it is the tree's.
  for (const environment of [environmentOf('push', {}), environmentOf('schedule', {}), {}]) expect(read(directory, environment)).toMatchObject({ problems: [], warnings: [], inputs: { allow: ['evil.test', 'both.test'] } });
});

test('packed objects, a subdirectory, a profile, an unchanged file', () => {
  const { directory, git } = makeRepository();
  fs.writeFileSync(path.join(directory, FILE), 'profiles: {ci: {allow: [ci.test]}}\n');
  git('commit', '-qam', 'profiles');
  git('gc', '-q');
  const policy = readPolicy('../.github/decoy.yml#ci', { workspacePath: path.join(directory, '.github'), environment: environmentOf('pull_request', ofPull(git('rev-parse', 'HEAD'))) });
  expect(policy).toMatchObject({ problems: [], warnings: [], inputs: { allow: ['ci.test'] } });
});

describe('nothing is read where it is not certain', () => {
  test.each<[string, unknown]>([
    ['pull_request', {}], ['pull_request', 'no JSON'], ['pull_request_target', { pull_request: { base: { sha: 'main' } } }], ['pull_request', { pull_request: { base: { sha: '--output=x' } } }],
    ['merge_group', ofPull('0'.repeat(40))], ['workflow_run', {}], ['', {}],
  ])('%s %j', (event, payload) => {
    const { directory } = makeRepository();
    const policy = read(directory, environmentOf(event, payload));
    expect(policy.problems).toHaveLength(1);
    expect(policy.inputs).toEqual({});
  });

  test('a shallow clone says what to write', () => {
    const { directory, base } = makeRepository();
    const clone = path.join(folder, 'clone');
    spawnSync('git', ['clone', '-q', '--depth=1', `file://${directory}`, clone]);
    expect(read(clone, environmentOf('pull_request', ofPull(base))).problems).toEqual([
      `policy: the commit ${base}, whose \`${FILE}\` holds for this event, is not in the clone: write \`with: { fetch-depth: 0 }\` below \`uses: actions/checkout\`, or add the step \`run: git fetch --depth=1 origin ${base}\` behind it`,
    ]);
    // And that is enough.
    spawnSync('git', ['fetch', '-q', '--depth=1', 'origin', base], { cwd: clone });
    expect(read(clone, environmentOf('pull_request', ofPull(base)))).toMatchObject({ problems: [], inputs: { allow: ['base.test', 'both.test'] } });
  });

  test('a file that the pull request brings, a directory, a link, no repository', () => {
    const { directory, git, base } = makeRepository();
    fs.writeFileSync(path.join(directory, 'new.yml'), 'allow: []\n');
    fs.symlinkSync(FILE, path.join(directory, 'link.yml'));
    fs.symlinkSync('.github', path.join(directory, 'linked'));
    const environment = environmentOf('pull_request', ofPull(base));
    expect(read(directory, environment, 'new.yml').problems[0]).toContain('`new.yml` is not in the commit');
    git('add', 'link.yml', 'linked');
    git('commit', '-qm', 'links');
    const linked = environmentOf('pull_request', ofPull(git('rev-parse', 'HEAD')));
    for (const name of ['link.yml', 'linked/decoy.yml', '.github']) expect(read(directory, linked, name).problems[0], name).toContain('a link, a submodule or a directory');
    expect(readPolicy('/etc/hostname', { workspacePath: directory, environment: linked }).problems[0]).toContain('lies in no git repository');
  });
});

test('the repository is not trusted: no configuration, filter, hook, replacement or remote of it has a say, and no object is taken for another', () => {
  const { directory, git, base, head } = makeRepository();
  const environment = environmentOf('pull_request', ofPull(base));
  const marker = path.join(folder, 'executed');
  const attack = `touch ${marker}; false`;
  const config = (name: string, value: string) => git('config', name, value);
  // The control: git itself, in that repository, obeys a replacement and a filter.
  git('replace', base, head);
  config('filter.x.smudge', attack);
  config('filter.x.clean', attack);
  fs.writeFileSync(path.join(directory, '.gitattributes'), '* filter=x\n');
  expect(git('show', `${base}:${FILE}`)).toContain('evil.test');
  spawnSync('git', ['cat-file', '--filters', `${head}:${FILE}`], { cwd: directory });
  expect(fs.existsSync(marker)).toBe(true);
  fs.rmSync(marker);
  for (const [name, value] of [['core.fsmonitor', attack], ['core.sshCommand', attack], ['core.pager', attack], ['core.alternateRefsCommand', attack], ['include.path', '/dev/zero-not-there']] as const) config(name, value);
  config('remote.origin.url', `ext::sh -c ${attack.replaceAll(' ', '% ')}`);
  config('protocol.ext.allow', 'always');
  config('remote.origin.promisor', 'true');
  config('extensions.partialClone', 'origin');
  expect(read(directory, environment)).toMatchObject({ problems: [], inputs: { allow: ['base.test', 'both.test'] } });
  expect(read(directory, environmentOf('pull_request', ofPull('1'.repeat(40)))).problems[0]).toContain('is not in the clone');
  expect(fs.existsSync(marker)).toBe(false);

  // An object that says it is another.
  const objectFile = (name: string) => path.join(directory, '.git', 'objects', name.slice(0, 2), name.slice(2));
  const [from, to] = [head, base].map((commit) => objectFile(spawnSync('git', ['--no-replace-objects', 'rev-parse', `${commit}:${FILE}`], { cwd: directory, encoding: 'utf8' }).stdout.trim())) as [string, string];
  fs.rmSync(to);
  fs.copyFileSync(from, to);
  const tampered = read(directory, environment);
  expect(tampered.inputs).toEqual({});
  expect(tampered.problems[0]).toMatch(/is not what its name says|git could not read the commit/);
});

test.each([['.github', '.', FILE, 'decoy.yml'], ['packages/a', '../', 'packages/a/decoy.yml', 'decoy.yml'], ['packages', 'other', 'packages/a/decoy.yml', 'decoy.yml']])('a link in place of %s does not make another file of the base the policy', (link, target, asked, wide) => {
  const { directory, git } = makeRepository();
  const at = (name: string) => path.join(directory, name);
  fs.mkdirSync(path.dirname(at(asked)), { recursive: true });
  fs.writeFileSync(at(asked), BASE);
  fs.writeFileSync(at(wide), 'allow:\n  - wide.test\n');
  git('add', '.');
  git('commit', '-qm', 'two policies');
  const environment = environmentOf('pull_request', ofPull(git('rev-parse', 'HEAD')));
  fs.rmSync(at(link), { recursive: true });
  if (target === 'other') {
    fs.mkdirSync(at('other'));
    fs.symlinkSync('..', at('other/a'));
  }
  fs.symlinkSync(target, at(link));
  // The control: by the path, the repository's own `.git` is there.
  expect(fs.existsSync(path.join(path.dirname(at(asked)), '.git'))).toBe(true);
  const policy = read(directory, environment, asked);
  expect(policy).toMatchObject({ problems: [], inputs: { allow: ['base.test', 'both.test'] } });
  expect(policy.warnings.join()).toContain('is no plain file any more');
});

test('what is checked out is read for the warning only where it is a plain file', () => {
  const { directory, base } = makeRepository({ head: null });
  const environment = environmentOf('pull_request', ofPull(base));
  expect(read(directory, environment).warnings).toEqual([`policy: \`${FILE}\` is no plain file any more in what is checked out; the one of the commit ${base.slice(0, 12)} holds`]);
  fs.writeFileSync(path.join(folder, 'private'), 'a private line\n');
  fs.symlinkSync(path.join(folder, 'private'), path.join(directory, FILE));
  expect(read(directory, environment).warnings.join()).not.toContain('a private line');
});
