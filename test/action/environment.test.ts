import fs from 'node:fs';
import { expect, test } from 'vitest';
import { startRunner } from './run-action.ts';

test('nothing of the runner\'s own comes into the sandbox: no command file, no token, no directory', async () => {
  await using runner = startRunner();
  const { steps, commandFiles, outputs } = await runner.use({
    run: [
      'env | sort',
      'tr "\\0" "\\n" < /proc/1/environ || true',
      'for name in GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STEP_SUMMARY GITHUB_STATE; do echo "EVIL=1" >> "${!name:-/dev/null}"; done',
      `ls -A ${runner.temporary} 2>/dev/null | sed "s/^/seen: /" || true`,
      `echo "EVIL=1" | tee -a ${runner.temporary}/_runner_file_commands/* > /dev/null 2>&1 || true`,
      `ls /var/run/docker.sock /run/docker.sock 2>/dev/null || true`,
    ].join('\n'),
    env: 'PLAIN=given\nGITHUB_SHA=of my own',
  });
  const inside = steps['run']?.stdout ?? '';
  expect(inside).toContain('PLAIN=given\n');
  const names = inside.split('\n').flatMap((line) => /^(GITHUB_\w+|ACTIONS_\w+|RUNNER_\w+|INPUT_\w+|DECOY_DIRECTORY)=/.exec(line)?.[1] ?? []);
  expect([...new Set(names)], 'only what the user set').toEqual(['GITHUB_SHA']);
  expect(inside).not.toMatch(/ghs_ofTheJob|runtime-token|oidc-token|seen: |docker\.sock/);
  expect(commandFiles).toEqual({ env: '', path: '', state: '' });
  expect(outputs).not.toHaveProperty('EVIL');
  expect(fs.readFileSync(outputs['report'] as string, 'utf8')).not.toContain('EVIL');
}, 60_000);

test('a core dump of the step would hold none of its memory', async () => {
  await using runner = startRunner();
  let filter = '';
  await runner.use({ run: 'echo ready; sleep 1' }, {
    onRun({ pid }, stdout) {
      if (stdout.includes('ready')) filter ||= fs.readFileSync(`/proc/${pid}/coredump_filter`, 'utf8').trim();
    },
  });
  expect(filter).toBe('00000000');
  expect(fs.readFileSync('/proc/self/coredump_filter', 'utf8').trim()).not.toBe('00000000');
}, 60_000);
