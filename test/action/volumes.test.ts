import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startRunner } from './run-action.ts';

const trusted = { GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', GITHUB_RUN_ID: '1', GITHUB_RUN_ATTEMPT: '1' };
const untrusted = { ...trusted, GITHUB_EVENT_NAME: 'pull_request_target' };

// I16
test('a volume goes from job to job by the cache; a run that may not leave one sees it, and what it writes is in no later run', async () => {
  await using runner = startRunner();
  const use = (run: string, env: Record<string, string>) => runner.use({ run, volumes: 'one:/one:256m', 'report-artifact': '' }, { env });
  const first = await use('cat /one/a || echo new; echo trusted > /one/a', trusted);
  expect([first.failed, first.steps['run']?.stdout], first.log).toEqual([false, expect.stringContaining('new\n')]);
  expect(runner.cached()).toEqual([{ key: expect.stringMatching(/^decoy-volumes-1-\w+-[0-9a-f]{16}-1-1-[0-9a-f]{12}$/), bytes: expect.any(Number) }]);
  expect(runner.cached()[0]!.bytes).toBeLessThan(16 * 2 ** 20);
  const second = await use('cat /one/a; echo poison > /one/a; cat /one/a', untrusted);
  expect(second.steps['run']?.stdout).toContain('trusted\npoison\n');
  expect(second.steps['volumes']?.stdout).toContain('::notice::the volumes are not kept for later runs: pull_request_target on refs/heads/main');
  expect(runner.cached()).toHaveLength(1);
  const third = await use('cat /one/a; echo more >> /one/a; exit 3', trusted);
  expect([third.outputs['exit-code'], third.steps['run']?.stdout]).toEqual(['3', expect.stringContaining('trusted\n')]);
  expect(third.steps['run']?.stdout).not.toContain('poison');
  // A run that failed keeps its volumes, too.
  const fourth = await use('cat /one/a', trusted);
  expect(fourth.steps['run']?.stdout).toContain('trusted\nmore\n');
}, 120_000);

test('a volume that the policy file alone names is carried, too; one without volumes leaves nothing', async () => {
  await using runner = startRunner();
  const write = (text: string) => fs.writeFileSync(path.join(runner.workspace, 'policy.yml'), text);
  const use = (run: string) => runner.use({ run, policy: 'policy.yml', workspace: 'none', 'report-artifact': '' }, { env: trusted });
  write('env: {A: x}\n');
  expect((await use('true')).failed).toBe(false);
  expect(runner.cached()).toEqual([]);
  write('volumes: ["one:/one:64m"]\n');
  const first = await use('echo kept > /one/a');
  expect(first.failed, first.log).toBe(false);
  expect(runner.cached()).toHaveLength(1);
  expect((await use('cat /one/a')).steps['run']?.stdout).toContain('kept\n');
}, 120_000);
