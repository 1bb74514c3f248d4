import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from 'esbuild';
import { holdLock } from '../../src/runtime/hold-lock.ts';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lock-'));
  program = path.join(folder, 'hold-lock.mjs');
  await build({ entryPoints: [path.resolve(import.meta.dirname, '../../src/runtime/hold-lock.ts')], outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('whoever is killed while holding it leaves it free', async () => {
  const file = path.join(folder, 'killed.lock');
  const script = `import { holdLock } from ${JSON.stringify(program)}; await holdLock(${JSON.stringify(file)}); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout, 'data');
  let taken = false;
  const second = holdLock(file).then((lock) => {
    taken = true;
    return lock;
  });
  // The control: until then it is not to be had.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(taken).toBe(false);
  holder.kill('SIGKILL');
  await using _lock = await second;
  expect(taken).toBe(true);
}, 30_000);

test('a directory that an older Decoy left as its lock is in nobody\'s way, and the lock can be taken again once it is let go', async () => {
  const file = path.join(folder, 'directory.lock');
  mkdirSync(file);
  for (let times = 0; times < 2; times++) {
    await using _lock = await holdLock(file);
  }
}, 30_000);

test('where it cannot be made, that is told', async () => {
  await expect(holdLock(path.join(folder, 'none', 'x.lock'))).rejects.toThrow(/^cannot lock ".*\/none\/x\.lock" \(flock: \d+\): make its directory one that this user may write in/);
});
