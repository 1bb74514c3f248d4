import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/doctor/finding.ts';

const dist = path.resolve(import.meta.dirname, '../../dist');

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
