import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { awaitTurn, startsAtOnce } from '../../src/await-turn.ts';
import { docker } from '../integration/guest-image.ts';
import { decoy, startDecoy, type RunningDecoy } from '../integration/support/run-decoy.ts';
import { stopAtRequest, type StoppedEngine } from './support/stop-at-request.ts';

// Of its own, so that no other Decoy of this machine is waited for.
let folder: string;
let before: string | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'turns-'));
  before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
});
afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  rmSync(folder, { recursive: true, force: true });
});

const never = new AbortController().signal;
const command = ['--workspace', 'none', '--storage', '64m', '--memory', '64m', '--', 'echo', 'ran'];
const turns = () => readdirSync(folder).filter((name) => name.startsWith('decoy-start-')).length;
const start = (env: Record<string, string> = {}) => startDecoy(command, { env: { TMPDIR: folder, ...env } });

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !holds();) {
    if (performance.now() > deadline) throw new Error(`not within a minute: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** As many Decoys as may start at once, each held where its gateway is created. */
async function fillAll(): Promise<AsyncDisposable & { held: { engine: StoppedEngine; running: RunningDecoy }[] }> {
  const held = await Promise.all(Array.from({ length: startsAtOnce() }, async () => {
    const engine = await stopAtRequest(/^POST \/containers\/create\?name=gateway/);
    return { engine, running: start({ DOCKER_HOST: engine.dockerHost }) };
  }));
  await Promise.all(held.map(({ engine }) => engine.reached));
  return {
    held,
    [Symbol.asyncDispose]: async () => {
      held.forEach(({ running }) => running.kill('SIGKILL'));
      await Promise.all(held.flatMap(({ engine, running }) => [engine[Symbol.asyncDispose](), running.ended]));
      await decoy(['clean'], { env: { TMPDIR: folder } });
    },
  };
}

test('with as many starting as may, the next one waits and says so; one that is killed makes room', async () => {
  await using all = await fillAll();
  const next = start();
  let hasEnded = false;
  void next.ended.then(() => { hasEnded = true; });
  await until(() => turns() === startsAtOnce() + 1);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const { stdout } = await docker(['ps', '-aq', '--filter', `label=decoy.pid=${next.pid}`]);
  expect([hasEnded, stdout], 'it has started nothing').toEqual([false, '']);
  all.held[0]!.running.kill('SIGKILL');
  const end = await next.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ran\n', report: { conclusion: 'success' } });
  expect(end.stderr).toContain('decoy: waiting for other sandboxes to start: 1 before this one\n');
  expect(end.report!.startup!.waitedMs).toBeGreaterThan(2000);
  expect(end.report!.wallSeconds * 1000, 'the wait is no time of the command').toBeLessThan(2000);
}, 120_000);

test('one that goes on makes room when its canary has held, and cancelling ends the wait', async () => {
  await using all = await fillAll();
  const [cancelled, next] = [start(), start()];
  await until(() => turns() === startsAtOnce() + 2);
  cancelled.kill('SIGTERM');
  expect(await cancelled.ended).toMatchObject({ exitCode: 143, stdout: '', report: { conclusion: 'cancelled' } });
  all.held[0]!.engine.goOn();
  expect(await next.ended).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
}, 120_000);

test('a run that nobody is before says nothing of it, and leaves nothing', async () => {
  const end = await start().ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: 'ran\n' });
  expect(end.stderr).not.toContain('waiting');
  expect(end.report!.startup).toEqual({ canaryMs: expect.any(Number) });
  expect(readdirSync(folder).filter((name) => name.startsWith('decoy-'))).toEqual([]);
}, 60_000);

test('first come, first served; and a turn that does not come in time is an error with the remedy', async () => {
  const options = { signal: never, atOnce: 2, onWait() {} };
  const [first, second] = [await awaitTurn(options), await awaitTurn(options)];
  const order: string[] = [];
  const third = awaitTurn(options).then((turn) => { order.push('third'); return turn; });
  await until(() => turns() === 3);
  const waits: number[] = [];
  const fourth = awaitTurn({ ...options, onWait: (count) => void waits.push(count) }).then((turn) => { order.push('fourth'); return turn; });
  await until(() => waits.length > 0);
  await expect(awaitTurn({ ...options, patienceMs: 200 })).rejects.toThrow(/^waited 0\.2 s for 2 other sandbox starts of this user, and nothing was run: end the Decoys that hang/);
  expect(turns(), 'who gave up is no longer in the way').toBe(4);
  second.over();
  (await third).over();
  (await fourth).over();
  first.over();
  expect(order).toEqual(['third', 'fourth']);
  expect(waits[0]).toBe(2);
  expect(turns()).toBe(0);
}, 30_000);

test('where the directory cannot be used, the run tells that, and no wait', async () => {
  const missing = path.join(folder, 'none');
  const end = await startDecoy(command, { env: { TMPDIR: missing } }).ended;
  expect(end).toMatchObject({ exitCode: 125, stdout: '' });
  expect(end.stderr).toMatch(/cannot make the run's directory/);
  expect(existsSync(missing)).toBe(false);
}, 60_000);
