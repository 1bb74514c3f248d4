import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { footprint, settled } from '../integration/support/footprint.ts';
import { startDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';

let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  workspace = await openWorkspace();
  folder = mkdtempSync(path.join(os.tmpdir(), 'clock-'));
});
afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** libfaketime gives Decoy a clock that is off by what a file says; the monotonic one stays the machine's. The sandbox keeps the machine's clock. */
function openClock(name: string): { env: Record<string, string>; jump(by: string): void } {
  const file = path.join(folder, name);
  const jump = (by: string) => writeFileSync(file, by);
  jump('+0');
  return { env: { LD_PRELOAD: findLibrary(), FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' }, jump };
}

const hour = 3600;
const script = 'curl -sS https://allowed.example.test/before; echo; echo ready; sleep 2; curl -sS https://allowed.example.test/after; echo; echo done';

test.each([['forwards', '+1h', hour], ['backwards', '-1h', -hour]])('a clock that is set %s by an hour in the middle of a run changes nothing but the times of day', async (name, by, seconds) => {
  const clock = openClock(name);
  await using upstream = await startUpstream((request, response) => void setTimeout(() => response.end('answer'), request.url === '/after' ? 300 : 0));
  const running = startDecoy(['--quiet', '--timeout', '30m', '--allow', 'allowed.example.test', ...upstream.resolve('allowed.example.test'), '--', 'sh', '-c', script], { cwd: workspace.path, env: { ...upstream.env, ...clock.env } });
  await running.printed('ready');
  clock.jump(by);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'answer\nready\nanswer\ndone\n', report: { conclusion: 'success' } });
  const [before, after] = end.auditLog.trim().split('\n').map((line) => JSON.parse(line) as { time: string; path: string; durationMs: number }).filter(({ path: at }) => at !== null);
  // The control: Decoy saw the jump.
  expect(Math.round((Date.parse(after!.time) - Date.parse(before!.time)) / 1000 / 10) * 10).toBe(seconds);
  expect(end.report!.wallSeconds).toBeGreaterThan(2);
  expect(end.report!.wallSeconds).toBeLessThan(hour / 2);
  expect(after!.durationMs).toBeGreaterThanOrEqual(300);
  expect(after!.durationMs).toBeLessThan(hour * 500);
}, 60_000);

test('nor does it move the deadline: set back, the command has no more time', async () => {
  const clock = openClock('deadline');
  const running = startDecoy(['--quiet', '--timeout', '3s', '--', 'sh', '-c', 'echo ready; sleep 600'], { cwd: workspace.path, env: clock.env });
  await running.printed('ready');
  clock.jump('-1h');
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 124, report: { conclusion: 'timeout' } });
  expect(end.report!.wallSeconds).toBeLessThan(hour / 2);
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);

test('a request that is under way when the clock is set lasts as long as it lasts', async () => {
  const clock = openClock('request');
  await using upstream = await startUpstream((_, response) => {
    clock.jump('+1h');
    setTimeout(() => response.end('answer'), 300);
  });
  const running = startDecoy(['--quiet', '--allow', 'allowed.example.test', ...upstream.resolve('allowed.example.test'), '--', 'curl', '-sS', 'https://allowed.example.test/x'], { cwd: workspace.path, env: { ...upstream.env, ...clock.env } });
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'answer' });
  const [request] = end.auditLog.trim().split('\n').map((line) => JSON.parse(line) as { path: string | null; durationMs: number }).filter(({ path: at }) => at === '/x');
  expect(request!.durationMs).toBeGreaterThanOrEqual(300);
  expect(request!.durationMs).toBeLessThan(hour * 500);
}, 60_000);

function findLibrary(): string {
  const found = readdirSync('/usr/lib').map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`).find((file) => existsSync(file));
  if (found === undefined) throw new Error('libfaketime is not installed: scripts/prepare-machine.sh --tests');
  return found;
}
