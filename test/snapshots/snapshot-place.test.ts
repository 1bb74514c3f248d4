import { expect, test } from 'vitest';
import { snapshotPlace } from '../../src/snapshots/snapshot-place.ts';

// I17
const place = (event: string, ref: string, more: Record<string, string> = {}) =>
  snapshotPlace({ HOME: '/home/me', GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_EVENT_NAME: event, GITHUB_REF: ref, ...more });
const main = 'github o/r refs/heads/main';
const pull = 'github o/r refs/pull/7/merge';

test.each([
  ['push', 'refs/heads/main', {}, { read: [main], write: main }],
  ['pull_request', 'refs/pull/7/merge', { GITHUB_BASE_REF: 'main' }, { read: [pull, main], write: pull }],
  ['pull_request', 'refs/heads/main', { GITHUB_BASE_REF: 'main' }, { read: [main], write: null }],
  ['pull_request_target', 'refs/heads/main', { GITHUB_BASE_REF: 'main' }, { read: [main], write: null }],
  ['workflow_run', 'refs/heads/main', {}, { read: [main], write: null }],
  ['issue_comment', 'refs/heads/main', {}, { read: [main], write: null }],
  ['push', 'refs/heads/main', { GITHUB_REPOSITORY: 'else/r' }, { read: ['github else/r refs/heads/main'], write: 'github else/r refs/heads/main' }],
])('%s on %s %j', (event, ref, more, expected) => {
  expect(place(event, ref, more)).toMatchObject({ directory: '/home/me/.local/share/decoy/snapshots', ...expected });
});

test('a pull request\'s snapshot is in no scope a trusted run reads, and off GitHub there is one scope', () => {
  const { write } = place('pull_request', 'refs/pull/7/merge', { GITHUB_BASE_REF: 'main' });
  for (const event of ['push', 'schedule', 'workflow_dispatch', 'pull_request_target', 'workflow_run']) expect(place(event, 'refs/heads/main').read).not.toContain(write);
  expect(place('pull_request', 'refs/pull/8/merge', { GITHUB_BASE_REF: 'main' }).read).not.toContain(write);
  expect(snapshotPlace({ DECOY_SNAPSHOTS: '/s' })).toEqual({ directory: '/s', read: ['local'], write: 'local', event: '' });
  expect(snapshotPlace({ DECOY_SNAPSHOTS: 's' }).directory).toBe(null);
});
