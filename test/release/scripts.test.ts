import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { root } from './workflow-files.ts';

let place = '';
beforeEach(() => { place = fs.mkdtempSync(path.join(os.tmpdir(), 'release-')); });
afterEach(() => fs.rmSync(place, { recursive: true, force: true }));

const CHANGELOG = `# Changelog

## Unreleased

### Added
- What is to come.

## [1.2.0] - 2026-12-01

### Added
- A [page](docs/x.md), and [another](https://example.com/y) and [a part](#z).

## 1.1.9 - 2026-11-01

## 1.1.0 - 2026-10-01
- The first.
`;

function notes(tag: string, { version = tag.slice(1), env = {} }: { version?: string; env?: Record<string, string> } = {}) {
  fs.writeFileSync(path.join(place, 'CHANGELOG.md'), CHANGELOG);
  fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify({ version }));
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/release/notes.mjs'), tag], { encoding: 'utf8', env: { PATH: process.env['PATH'], DECOY_RELEASE_ROOT: place, ...env } });
  return { status, text: (stdout + stderr).trim() };
}

test('the notes of a release are its section of the changelog, with links that lead somewhere', () => {
  expect(notes('v1.2.0')).toEqual({ status: 0, text: '### Added\n- A [page](docs/x.md), and [another](https://example.com/y) and [a part](#z).' });
  expect(notes('v1.2.0', { env: { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/decoy' } }).text).toContain('[page](https://github.com/owner/decoy/blob/v1.2.0/docs/x.md), and [another](https://example.com/y)');
  expect(notes('v1.1.0')).toEqual({ status: 0, text: '- The first.' });
});

test.each([
  ['v1.3.0', {}, 'no section'], ['v1.1.9', {}, 'is empty'], ['v1.2.0', { version: '1.1.0' }, 'package.json says 1.1.0'], ['1.2.0', {}, 'is not a tag of a release'], ['v1.2.0-rc.1', {}, 'is not a tag of a release'], ['v1.2', {}, 'is not a tag of a release'],
])('%s with %j makes no release', (tag, options, message) => {
  const { status, text } = notes(tag, options);
  expect(status).toBe(1);
  expect(text).toContain(message);
});

test('the package holds all it needs, runs where it is installed, and is the same to the byte each time', () => {
  const pack = (name: string) => {
    const out = path.join(place, name);
    fs.mkdirSync(out);
    execFileSync(process.execPath, [path.join(root, 'scripts/release/pack.mjs'), out], { env: { ...process.env, NPM_PACKAGE: '@owner/decoy', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/decoy' }, stdio: 'pipe' });
    return path.join(out, fs.readdirSync(out)[0] as string);
  };
  const [first, second] = [pack('first'), pack('second')];
  expect(fs.readFileSync(first).equals(fs.readFileSync(second))).toBe(true);
  const project = path.join(place, 'project');
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{}');
  execFileSync('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', first], { cwd: project, stdio: 'pipe' });
  expect(fs.readdirSync(path.join(project, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@owner']);
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  expect(execFileSync(path.join(project, 'node_modules/.bin/decoy'), ['--version'], { encoding: 'utf8' })).toBe(`decoy ${version}\n`);
  const manifest = JSON.parse(fs.readFileSync(path.join(project, 'node_modules/@owner/decoy/package.json'), 'utf8')) as Record<string, unknown>;
  expect(manifest).toMatchObject({ name: '@owner/decoy', repository: { url: 'git+https://github.com/owner/decoy.git' } });
  for (const field of ['private', 'scripts', 'dependencies', 'devDependencies']) expect(manifest).not.toHaveProperty(field);
  expect(execFileSync(path.join(project, 'node_modules/.bin/decoy'), ['run', '--quiet', '--workspace', 'none', '--', 'echo', 'from the package'], { encoding: 'utf8' })).toBe('from the package\n');
}, 90_000);

/** Runs move-major-tag.sh with a `gh` that knows these tags and writes down what it is asked to change. */
function moveMajorTag(tag: string, tags: readonly string[]): { said: string; changes: string } {
  fs.writeFileSync(path.join(place, 'gh'), `#!/bin/sh
case "$*" in
*matching-refs/tags/v1.*) ${tags.filter((name) => name.startsWith('v1.')).map((name) => `echo refs/tags/${name}`).join('; ') || ':'} ;;
*git/ref/tags/v1*) ${tags.includes('v1') ? 'exit 0' : 'exit 1'} ;;
*) echo "$*" >> "${place}/changes" ;;
esac
`, { mode: 0o755 });
  const said = execFileSync('sh', [path.join(root, 'scripts/release/move-major-tag.sh')], {
    encoding: 'utf8', env: { PATH: `${place}:${process.env['PATH']}`, GITHUB_REF_NAME: tag, GITHUB_SHA: 'a'.repeat(40), GITHUB_REPOSITORY: 'owner/decoy' },
  }).trim();
  return { said, changes: fs.existsSync(`${place}/changes`) ? fs.readFileSync(`${place}/changes`, 'utf8').trim() : '' };
}

test('the major tag is made, and moved, but never to an older version', () => {
  const sha = 'a'.repeat(40);
  expect(moveMajorTag('v1.0.0', ['v1.0.0'])).toEqual({ said: 'v1 is v1.0.0 now', changes: `api --method POST repos/owner/decoy/git/refs -f ref=refs/tags/v1 -f sha=${sha}` });
  fs.rmSync(`${place}/changes`);
  // Versions are numbers: 1.10 comes after 1.9.
  expect(moveMajorTag('v1.10.0', ['v1', 'v1.9.0', 'v1.10.0', 'v1.10.0-rc.1', 'v10.0.0'])).toEqual({ said: 'v1 is v1.10.0 now', changes: `api --method PATCH repos/owner/decoy/git/refs/tags/v1 -f sha=${sha} -F force=true` });
  fs.rmSync(`${place}/changes`);
  expect(moveMajorTag('v1.1.5', ['v1', 'v1.1.5', 'v1.2.0'])).toEqual({ said: 'v1 stays where it is: v1.2.0 is newer than v1.1.5', changes: '' });
});
