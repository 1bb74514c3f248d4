import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ownedPrefix } from '../../src/owned-directory.ts';
import { docker } from '../integration/guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from '../integration/support/footprint.ts';
import { decoy, runDecoy, startDecoy, type RunningDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';
import { asRoot } from './support/own-engine.ts';
import { stopAtRequest } from './support/stop-at-request.ts';

// I1, I2, I13, I16
let workspace: Workspace;
let volumes: string;
beforeAll(async () => {
  workspace = await openWorkspace();
  volumes = mkdtempSync(path.join(os.tmpdir(), 'decoy-volumes-'));
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  rmSync(volumes, { recursive: true, force: true });
});

const value = 'sk-real-fedcba9876543210fedc';
const control = 'control-fedcba9876543210';
const environment = () => ({ KEY: value, DECOY_VOLUMES: path.join(volumes, 'volumes') });
const command = ['--quiet', '--storage', '64m', '--volume', 'kept:/kept:32m', '--secret', 'KEY@api.example.test', '--env', `CONTROL=${control}`, '--'];

test.each<[string, ...RegExp[]]>([
  ['its volumes have names', /^POST \/containers\/create\?name=gateway/],
  ['its containers are created, and none is started', /^POST \/containers\/gateway\/start/],
  ['the keeper has made the disk', /^PUT \/containers\/disk\/archive/],
  ['the sandbox is about to start', /^POST \/containers\/sandbox\/start/],
  ['the sandbox has started, and has no command', /^POST \/containers\/sandbox\/start/, /^GET \/containers\/sandbox\/json/],
  ['the command is over', /^POST \/containers\/sandbox\/wait/],
  ['the sandbox is being removed', /^DELETE \/containers\/sandbox/],
  ['the volumes are being removed', /^DELETE \/volumes\/disk/],
])('when %s', async (_, ...requests) => {
  await using engine = await stopAtRequest(...requests);
  const running = startDecoy([...command, 'true'], { cwd: workspace.path, env: { ...environment(), DOCKER_HOST: engine.dockerHost } });
  const runId = await Promise.race([engine.reached, running.ended.then((end) => { throw new Error(`Decoy ended first: ${end.stdout}${end.stderr}`); })]);
  await killedAndCleaned(running, runId);
}, 60_000);

test('when the command runs: it holds a placeholder and no real value, and so does all that is left', async () => {
  const running = startDecoy([...command, 'sh', '-c', 'echo "$CONTROL" > /tmp/control; echo "$KEY" > /tmp/key; sync; echo ready; sleep 600'], { cwd: workspace.path, env: environment() });
  await running.printed('ready');
  const { stdout } = await docker(['ps', '--filter', `label=decoy.pid=${running.pid}`, '--format', '{{.Label "decoy.run"}}']);
  await killedAndCleaned(running, stdout.split('\n')[0]!, { hasControl: true });
  // The volume is nobody's any more.
  expect(await runDecoy([...command, 'echo', 'again'], { cwd: workspace.path, env: environment() })).toMatchObject({ exitCode: 0, stdout: 'again\n' });
}, 60_000);

test('a directory beside the run\'s own goes with `decoy clean` where its owner is gone, and stays where it lives', async () => {
  const [gone, live] = [ownedPrefix('git').replace(`-${process.pid}-`, '-1-'), ownedPrefix('git')].map((prefix) => mkdtempSync(prefix));
  try {
    expect(await decoy(['clean'])).toMatchObject({ exitCode: 0 });
    expect([existsSync(gone!), existsSync(live!)]).toEqual([false, true]);
  } finally {
    for (const folder of [gone!, live!]) rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

async function killedAndCleaned(running: RunningDecoy, runId: string, { hasControl = false } = {}): Promise<void> {
  const { pid } = running;
  running.kill('SIGKILL');
  const end = await running.ended;
  // What a user sees: the shell's 137. Whoever is killed writes no report, and an earlier one is not there to be taken for it.
  expect(end).toMatchObject({ exitCode: null, signal: 'SIGKILL', report: null });
  // The control: there is something to clean, and it is what a secret is looked for in.
  expect((await footprint(runId)).length).toBeGreaterThan(0);
  expect(await findInLeftovers(value, runId)).toEqual([]);
  if (hasControl) expect((await findInLeftovers(control, runId)).length).toBeGreaterThan(0);
  expect(end.stdout + end.stderr + end.auditLog).not.toContain(value);

  const ids = await containersOf(runId);
  const cleaned = await decoy(['clean']);
  expect(cleaned, cleaned.stderr).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await settled(() => footprint(runId))).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
  const cgroups = execFileSync(...asRoot('find', '/sys/fs/cgroup', '-type', 'd'), { encoding: 'utf8' });
  for (const id of ids) expect(cgroups).not.toContain(id);
  expect(readdirSync(os.tmpdir()).filter((name) => name.startsWith('decoy-') && name.includes(`-${pid}-`))).toEqual([]);
  // flock(2) of a keeper, by the inode of the lock.
  const locks = readFileSync('/proc/locks', 'utf8');
  for (const { inode } of volumeLocks()) expect(locks).not.toMatch(new RegExp(`FLOCK.*:${inode} `));
}

async function containersOf(runId: string): Promise<string[]> {
  return (await docker(['ps', '-aq', '--no-trunc', '--filter', `label=decoy.run=${runId}`])).stdout.split('\n').filter(Boolean);
}

function volumeLocks(): { inode: string }[] {
  return execFileSync('find', [volumes, '-name', 'lock', '-printf', '%i\\n'], { encoding: 'utf8' }).split('\n').filter(Boolean).map((inode) => ({ inode }));
}

/** Where a text is in what the run left: the description of its containers, and every byte of its volumes' files and its own directory. */
async function findInLeftovers(text: string, runId: string): Promise<string[]> {
  const ids = await containersOf(runId);
  const described = ids.length === 0 ? '' : (await docker(['inspect', ...ids])).stdout;
  const files = [`/var/lib/docker/volumes/decoy-${runId}-file`, path.join(os.tmpdir(), `decoy-${runId}`), path.join(volumes, 'volumes')];
  const found = grep(text, files);
  return [...(described.includes(text) ? ['docker inspect'] : []), ...found];
}

function grep(text: string, files: readonly string[]): string[] {
  try {
    return execFileSync(...asRoot('grep', '-rlaFs', '-e', text, ...files), { encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch (error) {
    // 1: none; 2: a file is not there, or a socket.
    return String((error as { stdout?: string }).stdout ?? '').split('\n').filter(Boolean);
  }
}
