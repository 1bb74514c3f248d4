import { expect, test } from 'vitest';
import { createProgressLines } from '../../src/report/progress-lines.ts';

test('a pull of ten minutes is sixteen lines, however often it tells of itself', () => {
  const progress = createProgressLines();
  const lines: string[] = [];
  for (let atMs = 0; atMs <= 600_000; atMs += 250) {
    const line = progress.next({ task: 'pulling x', state: atMs === 0 ? null : `${atMs} of 600000`, atMs });
    if (line !== null) lines.push(line);
  }
  expect(lines.slice(0, 3)).toEqual(['pulling x', 'pulling x: 5000 of 600000', 'pulling x: 11250 of 600000']);
  expect(lines).toHaveLength(16);
});

test('another task is told at once, and once', () => {
  const progress = createProgressLines();
  const next = (task: string, state: string | null = null) => progress.next({ task, state, atMs: 1 });
  expect([next('fetching'), next('fetching'), next('registering'), next('pulling', 'half'), next('pulling', 'all')]).toEqual(['fetching', null, 'registering', 'pulling: half', null]);
});
