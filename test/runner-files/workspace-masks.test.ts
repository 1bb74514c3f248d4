import { expect, test } from 'vitest';
import { withoutCredentials } from '../../src/sandbox/runner-files/workspace-masks.ts';

test('sections that can hold credentials go, and the user information of URLs', () => {
  const config = [
    '[core]', '\tbare = false',
    '[remote "origin"]', '\turl = https://x-access-token:ghs_abcdef@github.com/o/r', '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[http "https://github.com/"]', '\textraheader = AUTHORIZATION: basic eA==',
    '[includeIf "gitdir:/x/.git"]', '\tpath = /x/credentials.config',
    '[credential]', '\thelper = store',
    '[branch "main"]', '\tremote = origin', '',
  ].join('\n');
  expect(withoutCredentials(config)).toBe([
    '[core]', '\tbare = false',
    '[remote "origin"]', '\turl = https://github.com/o/r', '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[branch "main"]', '\tremote = origin', '',
  ].join('\n'));
});

test('a configuration without credentials stays as it is', () => {
  const config = '[core]\n\tbare = false\n[user]\n\temail = a@b.example\n';
  expect(withoutCredentials(config)).toBe(config);
});
