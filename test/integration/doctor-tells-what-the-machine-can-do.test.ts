import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';
import { configureEngine, ensureRunsc, readConfiguration } from './support/gvisor.ts';

const dist = process.env['DECOY_DIST'] ?? path.resolve(import.meta.dirname, '../../dist');

function doctor(args: string[], { env = {}, program = `${dist}/cli.js` }: { env?: Record<string, string>; program?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'doctor', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH']!, HOME: os.homedir(), ...env } });
  return { status, stdout, stderr };
}

const findingsOf = (stdout: string) => (JSON.parse(stdout) as { findings: Finding[] }).findings;
const CHECKS = ['node', 'machine', 'environment', 'engine', 'caps', 'confinement', 'storage', 'runtimes', 'trial'];

test('a machine that runs Decoy is told so, a line for each thing looked at', () => {
  const { status, stdout, stderr } = doctor([]);
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
  const lines = stdout.split('\n');
  expect(lines.filter((line) => /^(ok|limited|unknown) /.test(line)).map((line) => line.split(/ +/)[1])).toEqual(CHECKS);
  expect(stdout).toMatch(/^ok +trial +`true` ran in the capped container in [\d.]+ s, with a disk of 64 MiB, and the start-up canary held$/m);
  expect(lines.at(-2)).toMatch(/^Decoy runs here/);
}, 60_000);

test('--json gives the same to a program', () => {
  const { status, stdout } = doctor(['--json']);
  expect(status, stdout).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ version: 1, ok: true });
  expect(findingsOf(stdout).map(({ check }) => check)).toEqual(CHECKS);
}, 60_000);

test('without an engine it says how to get one', () => {
  const { status, stdout } = doctor(['--json'], { env: { DOCKER_HOST: 'unix:///nonexistent' } });
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false });
  expect(findingsOf(stdout)).toContainEqual({ check: 'engine', status: 'failed', detail: expect.stringContaining('install it (apt-get install docker.io)') });
  expect(findingsOf(stdout)).toContainEqual({ check: 'trial', status: 'unknown', detail: 'not tried, for want of an engine' });
});

test('an environment no run can use is found, and so is that the trial fails of it', () => {
  const { status, stdout } = doctor(['--json'], { env: { HTTPS_PROXY: 'socks5://127.0.0.1:1' } });
  expect(status).toBe(1);
  for (const check of ['environment', 'trial']) {
    expect(findingsOf(stdout)).toContainEqual(expect.objectContaining({ check, status: 'failed', detail: expect.stringContaining('HTTPS_PROXY: `socks5://127.0.0.1:1`') }));
  }
}, 60_000);

test('a checkout without the guest program is found', () => {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'doctor-'));
  try {
    cpSync(dist, copy, { recursive: true, filter: (file) => !path.basename(file).startsWith('decoy-guest') });
    const { status, stdout } = doctor(['--json'], { program: `${copy}/cli.js` });
    expect(status).toBe(1);
    expect(findingsOf(stdout)).toContainEqual(expect.objectContaining({ check: 'machine', status: 'failed', remedy: 'use an x64 or arm64 machine, and a complete checkout of Decoy' }));
    expect(findingsOf(stdout)).toContainEqual(expect.objectContaining({ check: 'trial', status: 'failed' }));
  } finally {
    rmSync(copy, { recursive: true });
  }
}, 60_000);

test('a runtime that is asked for is tried, and the exit code tells whether it went', async () => {
  await ensureRunsc();
  const gvisor = doctor(['--runtime', 'runsc']);
  expect(gvisor.status, gvisor.stdout).toBe(0);
  expect(gvisor.stdout).toMatch(/^ok +runtime +the engine has `runsc` as \/.*; `true` ran in the capped container in/m);
  const none = doctor(['--json', '--runtime', 'nonesuch']);
  expect(none.status).toBe(1);
  expect(findingsOf(none.stdout).map(({ check }) => check)).toEqual([...CHECKS, 'runtime']);
  expect(findingsOf(none.stdout)).toContainEqual({ check: 'runtime', status: 'failed', detail: expect.stringMatching(/^the Docker engine has no runtime "nonesuch", only (?!io\.containerd)\b.*runc, .*: register it in the engine's daemon\.json/) });
  expect(doctor(['--runtime', 'nonesuch']).stdout).toMatch(/\nDecoy runs here, but not with this runtime: see what failed\.\n$/);
}, 1_500_000);

test('a gVisor that the engine has not is told of, with its source, and neither fetched nor registered', async () => {
  await using _engine = await configureEngine({ runtimes: {} });
  const before = readConfiguration();
  const cache = mkdtempSync(path.join(os.tmpdir(), 'doctor-cache-'));
  const ask = (env: Record<string, string>) => {
    const { status, stdout } = doctor(['--json', '--runtime', 'runsc'], { env: { XDG_CACHE_HOME: cache, ...env } });
    return { status, finding: findingsOf(stdout).find(({ check }) => check === 'runtime')! };
  };
  try {
    const asIs = ask({});
    expect(asIs).toMatchObject({ status: 0, finding: { status: 'unknown', remedy: expect.stringContaining('decoy run --runtime runsc') } });
    expect(asIs.finding.detail).toMatch(/it would be fetched from https:\/\/storage\.googleapis\.com\/gvisor\/.*\/runsc and registered in \/etc\/docker\/daemon\.json;/);
    expect(ask({ DECOY_RUNSC_URL: 'https://mirror.example/runsc' }).finding.detail).toContain('fetched from https://mirror.example/runsc and');
    expect(ask({ DECOY_RUNSC_URL: 'http://mirror.example/runsc' })).toMatchObject({ status: 1, finding: { status: 'failed', detail: expect.stringContaining('is not an address gVisor is fetched from') } });
    const elsewhere = ask({ DOCKER_HOST: 'unix:///run/../run/docker.sock' });
    expect(elsewhere).toMatchObject({ status: 1, finding: { status: 'failed', detail: expect.stringContaining("Decoy cannot register it: the engine is not this machine's own one; add {") } });
    expect(existsSync(path.join(cache, 'decoy'))).toBe(false);
    expect(readConfiguration()).toBe(before);
  } finally {
    rmSync(cache, { recursive: true });
  }
}, 120_000);

test.skipIf(!existsSync('/usr/bin/podman'))('Podman is told nothing of daemon.json', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'doctor-podman-'));
  const socket = path.join(folder, 'podman.sock');
  const service = spawn('podman', ['system', 'service', '--time', '60', `unix://${socket}`], { stdio: 'ignore' });
  try {
    for (const deadline = performance.now() + 20_000; !existsSync(socket) && performance.now() < deadline;) await sleep(50);
    const { status, stdout } = doctor(['--runtime', 'runsc'], { env: { DOCKER_HOST: `unix://${socket}` } });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^(failed|limited) +engine +Podman /m);
    expect(stdout).toMatch(/^failed +runtime +Podman's Docker API takes no runtime by name/m);
    expect(stdout).not.toMatch(/daemon\.json|reload docker/);
  } finally {
    service.kill();
    rmSync(folder, { recursive: true });
  }
}, 90_000);
