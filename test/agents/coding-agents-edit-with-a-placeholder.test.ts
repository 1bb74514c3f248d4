import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { startRunner } from '../action/run-action.ts';
import { commitAll } from '../action/open-act.ts';
import { footprint, settled } from '../integration/support/footprint.ts';
import { startUpstream, type Upstream } from '../integration/support/upstream.ts';
import { answerModel, answerWebSocket } from './model-apis.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** `mayAsk`: what the page says the agent asks for besides, and does not get. */
const AGENTS = [
  { page: 'claude-code', secret: 'ANTHROPIC_API_KEY', host: 'api.anthropic.com', header: 'x-api-key', key: `sk-ant-api03-${'h7Kq2wLz9PvXt4Rb8Nm3'.repeat(5)}AA`, mayAsk: ['GET /api/claude_code/settings', 'GET /api/claude_code/policy_limits'] },
  { page: 'codex', secret: 'OPENAI_API_KEY', host: 'api.openai.com', header: 'authorization', key: `sk-proj-${'Zq83hTn40sPvX7cLmR2y'.repeat(8)}`, mayAsk: [] },
  { page: 'gemini-cli', secret: 'GEMINI_API_KEY', host: 'generativelanguage.googleapis.com', header: 'x-goog-api-key', key: 'AIzaZq83hTn40sPvX7cLmR2yKdWb5Gj9UfEa1Vo', mayAsk: [] },
];

test.each(AGENTS)('$page, as its page runs it: one edit, and the key at $host alone', async ({ page, secret, host, header, key, mayAsk }) => {
  const programs = execFileSync('sh', [path.join(root, 'scripts', 'install-agents.sh')], { encoding: 'utf8' }).trim();
  const steps = parse(/```yaml\n([^]*?)```/.exec(fs.readFileSync(path.join(root, 'docs', 'agents', `${page}.md`), 'utf8'))?.[1] ?? '') as Step[];
  const installed = /npm install --global .*@([0-9.]+)$/m.exec(steps.find(({ run }) => run?.includes('npm install'))?.run ?? '')?.[1];
  expect(path.basename(path.dirname(path.dirname(programs)))).toContain(`-${installed}`);
  const inputs = steps.find(({ with: given }) => given?.run !== undefined)?.with as Record<string, string>;

  await using runner = startRunner();
  const task = { directory: runner.workspace, file: 'greeting.txt', text: 'hello from the agent\n', command: 'env' };
  await using upstream: Upstream = await startUpstream((request, response) => answerModel(task, { request, response, body: upstream.received.at(-1)?.body ?? '' }));
  const handshakes: string[] = [];
  upstream.server.on('upgrade', (request, socket, start) => {
    handshakes.push(`${request.headers.host}${request.url} ${request.headers[header]}`);
    answerWebSocket(task, { request, socket, head: start });
  });
  fs.writeFileSync(path.join(runner.workspace, 'README'), 'a project\n');
  commitAll(runner.workspace);
  const { outputs, upload, log } = await runner.use(
    { ...inputs, secrets: `${inputs['secrets']?.replace(/\$\{\{ secrets\.(\w+) \}\}/, (_, name: string) => (name === secret ? key : ''))}`, resolve: `${host}:443:127.0.0.1:${upstream.port}` },
    { env: { ...upstream.env, RUNNER_TOOL_CACHE: path.dirname(path.dirname(programs)), PATH: `${programs}:${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` } },
  );

  expect(outputs, log).toMatchObject({ conclusion: 'success', 'changed-files': 'greeting.txt' });
  expect(upload?.files['changes.patch']).toContain('+hello from the agent');
  expect(log).toContain('All done.');
  const keys = [...upstream.received.map(({ headers }) => headers[headers.findIndex((name) => name.toLowerCase() === header) + 1]), ...handshakes.map((text) => text.split(' ').slice(1).join(' '))];
  expect(keys.length).toBeGreaterThan(0);
  expect(new Set(keys)).toEqual(new Set([header === 'authorization' ? `Bearer ${key}` : key]));
  // But where the runner is told what to mask.
  expect(JSON.stringify([upload?.files, log.replace(/^::add-mask::.*$/gm, '')])).not.toContain(key);
  const report = JSON.parse(upload?.files['report.json'] ?? 'null');
  expect(report.usage.network.hosts.map((of: { host: string }) => of.host)).toEqual([host]);
  for (const { method, path: asked } of report.blocked) expect(mayAsk).toContain(`${method} ${asked}`);
  expect(await settled(() => footprint(report.id))).toEqual([]);
}, 180_000);

type Step = { run?: string; with?: Record<string, string> };
