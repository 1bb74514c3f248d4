import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startUpstream } from '../integration/support/upstream.ts';
import { startRunner, type Runner } from './run-action.ts';

const TOKEN = 'a-token-of-the-repository-0123456789';
const policy = (host: string) => `# what the checks need
allow: [GET ${host}/v1/**]
secrets:
  TOKEN: { hosts: [api.example.test] }
env: { FROM_FILE: "yes", BOTH: file }
limits: { timeout: 1m, pids: 300 }
`;

/** The workspace as actions/checkout leaves it on a pull request that changes the policy. */
function checkOut({ workspace, temporary }: Runner, { depth }: { depth?: number } = {}): Record<string, string> {
  const origin = path.join(temporary, 'origin');
  fs.mkdirSync(path.join(origin, '.github'), { recursive: true });
  const git = (...args: string[]) => spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.test', ...args], { cwd: origin, encoding: 'utf8' }).stdout.trim();
  const commit = (text: string) => {
    fs.writeFileSync(path.join(origin, '.github', 'decoy.yml'), text);
    git('add', '.');
    git('commit', '-qm', 'x');
    return git('rev-parse', 'HEAD');
  };
  git('init', '-q', '-b', 'main');
  const base = commit(policy('base.example.test'));
  commit(policy('evil.example.test'));
  spawnSync('git', ['clone', '-q', ...(depth === undefined ? [] : [`--depth=${depth}`]), `file://${origin}`, workspace]);
  const event = path.join(temporary, 'event.json');
  fs.writeFileSync(event, JSON.stringify({ pull_request: { base: { sha: base } } }));
  return { GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: event };
}

const inputs = {
  policy: '.github/decoy.yml', secrets: `TOKEN=${TOKEN}`, env: 'BOTH=input', pids: '200',
  run: 'echo "$FROM_FILE $BOTH ${#TOKEN}"\nfor host in base.example.test evil.example.test api.example.test; do getent ahostsv4 $host >/dev/null && echo "$host has an address"; done; true',
};

test('on a pull request the policy of the base commit holds, inputs beat it, and the change is a warning', async () => {
  await using runner = startRunner();
  const env = checkOut(runner);
  const { steps, outputs, failed } = await runner.use(inputs, { env });
  const { stdout } = steps['run']!;
  expect(failed, stdout).toBe(false);
  expect(stdout).toContain(`yes input ${TOKEN.length}\n`);
  expect(stdout).toContain('base.example.test has an address\n');
  expect(stdout).toContain('api.example.test has an address\n');
  expect(stdout).not.toContain('evil.example.test has an address');
  expect(stdout).toMatch(/^::warning::policy: `\.github\/decoy\.yml` is changed in what is checked out, which is not obeyed; the one of the commit [0-9a-f]{12} holds\. The change from line 2 on: - `allow: \[GET base\.example\.test\/v1\/\*\*\]`, \+ `allow: \[GET evil/m);
  const report = JSON.parse(fs.readFileSync(outputs['report']!, 'utf8')) as { limits: unknown; secrets: unknown };
  expect(report.limits).toMatchObject({ wallSeconds: 60, pids: 200, memoryBytes: 4 * 2 ** 30 });
  expect(report.secrets).toMatchObject([{ name: 'TOKEN', hosts: ['api.example.test'] }]);
}, 90_000);

test('where the base commit is not in the clone nothing is started, and the message says what to write', async () => {
  await using runner = startRunner();
  const env = checkOut(runner, { depth: 1 });
  const { steps, outputs, log } = await runner.use(inputs, { env });
  expect(steps['run']?.exitCode).toBe(125);
  expect(outputs).toMatchObject({ conclusion: 'error' });
  const errors = steps['run']!.stdout.split('\n').filter((line) => line.startsWith('::error::'));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain('fetch-depth: 0');
  expect(log).not.toContain(`yes input`);
}, 60_000);

test('observe mode is told loudly, and proposes', async () => {
  await using runner = startRunner();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const { outputs, summary, steps } = await runner.use({
    mode: 'observe', resolve: `unlisted.example.test:443:127.0.0.1:${upstream.port}`, run: 'curl -sS https://unlisted.example.test/v1/items/7 https://unlisted.example.test/v1/items/8',
  }, { env: upstream.env });
  expect(steps['run']!.stdout).toContain('Decoy: OBSERVE MODE, ALLOW LIST NOT ENFORCED');
  expect(summary).toMatch(/^### Decoy: success, OBSERVE MODE, ALLOW LIST NOT ENFORCED\n\n> \[!WARNING\]\n> The allow list was not enforced: 2 requests it does not cover were let through\./);
  expect(summary).toContain('```yaml\nallow: |\n  GET unlisted.example.test/v1/items/*\n```');
  expect(summary).toContain('#### Would have been blocked');
  expect(outputs).toMatchObject({ 'proposed-allow': 'GET unlisted.example.test/v1/items/*', 'blocked-count': '0' });
}, 60_000);
