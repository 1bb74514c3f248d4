import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');

let folder: string;
// Not below /tmp, which one of the runners has of its own.
beforeEach(() => { folder = mkdtempSync('/var/tmp/decoy-files-'); });
afterEach(() => { rmSync(folder, { recursive: true }); });

/** A runner with mounts of its own, which the machine's engine has not: what a job's container, and one beside its engine's, come to. */
function runAs(mounts: string, args: readonly string[], { cwd = folder } = {}) {
  const script = `mount --make-rprivate / && ${mounts} && cd "$0" && exec "$@"`;
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, cwd, process.execPath, cli, ...args], { encoding: 'utf8' });
  return { status, stdout, said: stderr.replace(/\s*\n {2}> /g, ' ') };
}

const refusal = (seen: string) => `the Docker engine does not share this runner's files: ${seen}; use a runner on the machine its engine runs on`;

test('control: with mounts of its own that make no difference, a run goes', () => {
  writeFileSync(`${folder}/file`, 'mine');
  const { status, stdout, said } = runAs('true', ['run', '--', 'cat', `${folder}/file`]);
  expect({ status, stdout }, said).toEqual({ status: 0, stdout: 'mine' });
}, 60_000);

test('a temporary directory the engine does not have', () => {
  const { status, said } = runAs('mount -t tmpfs tmpfs /tmp', ['run', '--workspace', 'none', '--', 'true']);
  expect(status).toBe(125);
  expect(said).toContain('the Docker engine does not share this runner\'s files: it has no "/tmp/decoy-');
  expect(said).toContain('see docs/runners.md');
}, 60_000);

test('tools that are others under the same names', () => {
  const own = `mount -t tmpfs tmpfs ${folder} && mkdir ${folder}/upper ${folder}/work && mount -t overlay -o lowerdir=/usr,upperdir=${folder}/upper,workdir=${folder}/work overlay /usr`;
  const { status, stdout, said } = runAs(own, ['run', '--workspace', 'none', '--', 'echo', 'it ran'], { cwd: '/' });
  expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
  expect(said).toContain(refusal('its "/usr" is another directory than Decoy\'s'));
}, 60_000);

test('a workspace that is another under the same name, empty for the engine', () => {
  const { status, stdout, said } = runAs(`mount -t tmpfs tmpfs ${folder} && touch ${folder}/file`, ['run', '--', 'echo', 'it ran']);
  expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
  expect(said).toContain(refusal(`its ${JSON.stringify(folder)} is another directory than Decoy's`));
}, 60_000);

test('a workspace the engine has at another path', () => {
  const inside = `${folder}/outer`;
  mkdirSync(inside);
  const { status, said } = runAs(`mount -t tmpfs tmpfs ${inside} && mkdir ${inside}/__w`, ['run', '--', 'true'], { cwd: `${inside}/__w` });
  expect(status).toBe(125);
  expect(said).toContain(refusal(`it has no "${inside}/__w"`));
}, 60_000);

test('doctor tells of it', () => {
  const { status, stdout } = runAs('mount -t tmpfs tmpfs /tmp', ['doctor']);
  expect(status).toBe(1);
  expect(stdout).toMatch(/^failed +trial .*the Docker engine does not share this runner's files: it has no "\/tmp\/decoy-/m);
}, 60_000);
