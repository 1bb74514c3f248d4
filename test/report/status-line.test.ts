import { expect, test } from 'vitest';
import { createStatusLine } from '../../src/report/status-line.ts';

const limits = { wallSeconds: 1800, memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30, pids: 2048 };
const sample = { atSeconds: 10, cpuSeconds: 5, memoryBytes: 2 ** 29, pids: 3, storageBytes: 2 ** 21, requests: 12, blocked: 0 };

test('what a run has used, of what it may use', () => {
  const status = createStatusLine({ limits, colour: false });
  expect(status.render(100)).toBe('');
  status.waiting('pulling x: 1 of 2 layers done');
  expect(status.render(100)).toBe('decoy  pulling x: 1 of 2 layers done');
  status.sample(sample);
  expect(status.render(200)).toBe('decoy  10 s of 30 min  0.5 of 2 CPUs  memory 512 MiB of 4 GiB  disk 2 MiB of 10 GiB  12 requests  0 blocked');
  // Of the processors it is what was used since the reading before.
  status.sample({ ...sample, atSeconds: 12, cpuSeconds: 8, storageBytes: null, blocked: 3 });
  expect(status.render(200)).toBe('decoy  12 s of 30 min  1.5 of 2 CPUs  memory 512 MiB of 4 GiB  12 requests  3 blocked');
});

test('what matters least goes first where there is no room, and no line is too long', () => {
  const status = createStatusLine({ limits, colour: false });
  status.sample({ ...sample, blocked: 3 });
  expect(status.render(90)).toBe('decoy  10 s of 30 min  0.5 of 2 CPUs  memory 512 MiB of 4 GiB  12 requests  3 blocked');
  expect(status.render(60)).toBe('decoy  10 s of 30 min  memory 512 MiB of 4 GiB  3 blocked');
  expect(status.render(35)).toBe('decoy  10 s of 30 min  3 blocked');
  for (let columns = 0; columns <= 120; columns++) expect(status.render(columns).length).toBeLessThanOrEqual(columns);
  status.waiting('pulling registry.example.com/a/very/long/name');
  expect(status.render(24)).toBe('decoy  pulling registry…');
});

test('colours are asked for, take no room, and show what is blocked and what is near its cap', () => {
  const status = createStatusLine({ limits, colour: true });
  status.sample({ ...sample, blocked: 3, memoryBytes: 3.7 * 2 ** 30 });
  const line = status.render(200);
  expect(line.replaceAll(/\x1b\[[\d;]*m/g, '')).toBe('decoy  10 s of 30 min  0.5 of 2 CPUs  memory 3.7 GiB of 4 GiB  disk 2 MiB of 10 GiB  12 requests  3 blocked');
  expect([...line.matchAll(/\x1b\[1;31m(.*?)\x1b/g)].map(([, text]) => text)).toEqual(['memory 3.7 GiB of 4 GiB', '3 blocked']);
});
