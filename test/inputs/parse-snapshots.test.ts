import { expect, test } from 'vitest';
import { parseSnapshots } from '../../src/inputs/parse-snapshots.ts';

const place = { directory: '/s', read: ['local'], write: 'local', event: '' };
const digest = `sha256:${'0'.repeat(64)}`;

test('a name, and a digest where only that one will do', () => {
  expect(parseSnapshots({ from: 'a.b', to: 'c-1', image: 'runner', place })).toEqual({ from: { name: 'a.b', digest: null }, to: 'c-1', problems: [] });
  expect(parseSnapshots({ from: `a@${digest}`, to: undefined, image: undefined, place })).toEqual({ from: { name: 'a', digest }, to: null, problems: [] });
  expect(parseSnapshots({ from: '', to: 'a', image: 'debian:12', place })).toEqual({ from: null, to: 'a', problems: [] });
});

test.each([
  [{ from: 'A' }, 'snapshot-from: `A` is not a snapshot'],
  [{ from: '../a' }, 'snapshot-from: `../a` is not a snapshot'],
  [{ from: 'a@sha256:12' }, 'snapshot-from: `a@sha256:12` is not a snapshot'],
  [{ from: 'a', image: 'debian:12' }, 'leave one of them out'],
  [{ to: 'a:b', image: 'debian:12' }, 'snapshot-to: `a:b` is not a name'],
  [{ to: 'a' }, 'would be of the runner\'s own tools'],
  [{ to: 'a', image: 'debian:12', place: { ...place, write: null, event: 'pull_request_target on refs/heads/main' } }, 'may not be saved by pull_request_target on refs/heads/main'],
  [{ from: 'a', place: { ...place, directory: null } }, 'set HOME, or DECOY_SNAPSHOTS'],
])('%j is refused', (change, problem) => {
  expect(parseSnapshots({ from: undefined, to: undefined, image: undefined, place, ...change }).problems).toEqual([expect.stringContaining(problem)]);
});
