import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';

const cli = path.resolve(import.meta.dirname, '../../dist/cli.js');
const version = /(\d+)\.\S+$/.exec(spawnSync('podman', ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '');
const USER = 61_234;

let folder: string;
let service: ChildProcess | null = null;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'podman-'));
  spawnSync('chown', [String(USER), folder]);
});
afterEach(() => {
  if (service !== null) end(-service.pid!);
  service = null;
  // What holds the namespaces of a plain user's containers, in a session of its own.
  const pausing = `${folder}/libpod/tmp/pause.pid`;
  if (existsSync(pausing)) end(Number(readFileSync(pausing, 'utf8')));
  rmSync(folder, { recursive: true, force: true });
});

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Podman's own service, as this user or as a plain one, with everything it keeps in `folder`. */
async function serve(as: readonly string[]): Promise<string> {
  const socket = `${folder}/podman.sock`;
  const [program, ...args] = [...as, 'podman', '--root', `${folder}/root`, '--runroot', `${folder}/run`, '--storage-driver', 'vfs', 'system', 'service', '-t', '0', `unix://${socket}`];
  service = spawn(program!, args, { env: { PATH: process.env['PATH'], HOME: folder, XDG_RUNTIME_DIR: folder }, stdio: 'ignore', detached: true });
  for (let tries = 0; tries < 100 && !existsSync(socket); tries += 1) await sleep(100);
  return `unix://${socket}`;
}

function decoy(dockerHost: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd: os.tmpdir(), env: { ...process.env, DOCKER_HOST: dockerHost } });
  return { status, stdout, said: stderr.replace(/\s*\n {2,}> /g, ' ') };
}

function expectRefusal(dockerHost: string, { detail, remedy }: Pick<Finding, 'detail'> & { remedy: string }) {
  const run = decoy(dockerHost, ['run', '--workspace', 'none', '--', 'echo', 'it ran']);
  expect(run).toMatchObject({ status: 125, stdout: '' });
  expect(run.said).toContain(`${detail}; ${remedy}; see docs/runners.md`);
  const { status, stdout } = decoy(dockerHost, ['doctor', '--json']);
  expect(status).toBe(1);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  expect(findings).toContainEqual(expect.objectContaining({ check: 'engine', status: 'failed', detail: expect.stringContaining(detail), remedy }));
  expect(findings).toContainEqual(expect.objectContaining({ check: 'trial', status: 'failed', detail: expect.stringContaining(detail) }));
  expect(stdout).not.toContain('daemon.json');
}

describe.skipIf(version === null || process.getuid?.() !== 0)('with the Podman of this machine', () => {
  test('as a plain user', async () => {
    const dockerHost = await serve(['setpriv', '--reuid', String(USER), '--regid', String(USER), '--clear-groups']);
    expectRefusal(dockerHost, {
      detail: 'it is rootless, and only root can mount the disk that caps what a run writes',
      remedy: 'use an engine that runs as root (sudo systemctl start podman.socket, DOCKER_HOST=unix:///run/podman/podman.sock, and Decoy as root)',
    });
  }, 60_000);

  test.skipIf(Number(version?.[1]) >= 5)('older than 5, as root', async () => {
    const dockerHost = await serve([]);
    expectRefusal(dockerHost, { detail: `Podman ${version![0]} does not give containers the devices that the disk of a run needs`, remedy: 'install Podman 5 or newer, or Docker' });
  }, 60_000);

  test.skipIf(Number(version?.[1]) < 5)('a runtime by name, which Podman would leave out in silence', async () => {
    const { status, said } = decoy(await serve([]), ['run', '--workspace', 'none', '--runtime', 'runsc', '--', 'true']);
    expect(status).toBe(125);
    expect(said).toContain('Podman\'s Docker API takes no runtime by name, so that "runsc" would not be what runs');
  }, 60_000);
});
