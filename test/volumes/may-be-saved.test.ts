import { expect, test } from 'vitest';
import { mayBeSaved } from '../../src/volumes/may-be-saved.ts';

// I16
test.each([
  ['push', 'refs/heads/main'], ['push', 'refs/tags/v1'], ['schedule', 'refs/heads/main'], ['workflow_dispatch', 'refs/heads/topic'], ['release', 'refs/tags/v1'],
  ['merge_group', 'refs/heads/gh-readonly-queue/main/pr-1-0'], ['pull_request', 'refs/pull/7/merge'], ['pull_request_review', 'refs/pull/7/merge'],
])('%s on %s: later runs may have the volumes', (event, ref) => {
  expect(mayBeSaved({ event, ref })).toBe(true);
});

test.each([
  ['pull_request_target', 'refs/heads/main'], ['pull_request_target', 'refs/pull/7/merge'], ['issue_comment', 'refs/heads/main'], ['workflow_run', 'refs/heads/main'],
  ['repository_dispatch', 'refs/heads/main'], ['issues', 'refs/heads/main'], ['discussion', 'refs/heads/main'], ['fork', 'refs/heads/main'], ['watch', 'refs/heads/main'],
  // Merged, a pull request has its base branch's ref.
  ['pull_request', 'refs/heads/main'], ['pull_request', 'main'], ['pull_request', 'refs/heads/refs/pull/7/merge'], ['pull_request_review', 'refs/heads/main'],
  ['an_event_to_come', 'refs/heads/main'], ['', 'refs/heads/main'], ['push', ''], ['push', 'refs/pull/7/merge'],
])('%s on %s: they are thrown away', (event, ref) => {
  expect(mayBeSaved({ event, ref })).toBe(false);
});
