import { expect, test } from 'vitest';
import { deferred } from '../../src/sandbox/deferred.ts';
import { timeStages, type StageTiming } from '../../src/usage/time-stages.ts';

function recorded() {
  const timings: StageTiming[] = [];
  return { timings, timed: timeStages((timing) => void timings.push(timing)) };
}

test('gives what the work gives, and tells of the stage once it has ended', async () => {
  const { timings, timed } = recorded();
  const work = deferred<string>();
  const beganMs = performance.now();
  const result = timed('disk', () => work.promise);
  expect(timings).toEqual([]);
  work.resolve('made');
  expect(await result).toBe('made');
  const [timing] = timings;
  expect(timings).toHaveLength(1);
  expect(timing!.stage).toBe('disk');
  const inOrder = [beganMs, timing!.fromMs, timing!.toMs, performance.now()];
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
});

test('the time of what the work does before it first waits counts', async () => {
  const { timings, timed } = recorded();
  let beganMs = 0;
  await timed('files', async () => { beganMs = performance.now(); });
  expect(timings[0]!.fromMs).toBeLessThanOrEqual(beganMs);
});

test('work that fails is timed too, and its error is the same', async () => {
  const { timings, timed } = recorded();
  const error = new Error('no engine');
  await expect(timed('engine', () => Promise.reject(error))).rejects.toBe(error);
  expect(timings.map(({ stage }) => stage)).toEqual(['engine']);
});

test('stages overlap', async () => {
  const { timings, timed } = recorded();
  const inner = deferred();
  const outer = timed('outer', () => inner.promise);
  await timed('inner', async () => {});
  inner.resolve();
  await outer;
  expect(timings.map(({ stage }) => stage)).toEqual(['inner', 'outer']);
});
