import { expect, test } from 'vitest';
import { nearest } from '../../src/inputs/nearest.ts';

const known = ['memory', 'cpus', 'audit-log', 'env', 'allow', 'report', 'resolve'];

test.each([
  ['memry', 'memory'], ['memory', 'memory'], ['mmeory', 'memory'], ['cpu', 'cpus'], ['audit', 'audit-log'], ['envs', 'env'], ['alow', 'allow'], ['reprt', 'report'],
  ['x', null], ['', null], ['network', null], ['constructor', null],
])('%j → %j', (word, meant) => {
  expect(nearest(word, known)).toBe(meant);
});
