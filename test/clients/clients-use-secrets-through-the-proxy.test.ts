import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

const real = {
  API_KEY: 'real-api-key-52e9b1c07f4a', GIT_TOKEN: 'ghp_realGitTokenRealGitTokenRealGitTok1',
  OPENAI_API_KEY: 'sk-realOpenaiKeyRealOpenaiKeyRealOpenaiKey01', ANTHROPIC_API_KEY: 'sk-ant-api03-realAnthropicKeyRealAnthropicKey02',
};
const bindings = ['API_KEY@api.example.test', 'GIT_TOKEN@git.example.test', 'OPENAI_API_KEY@api.openai.com', 'ANTHROPIC_API_KEY@api.anthropic.com'];
const hosts = bindings.map((binding) => binding.split('@')[1] as string);
const clients = ['curl', 'urllib', 'requests', 'httpx', 'node', 'go', 'java'];

test('real clients, which know nothing of a proxy, reach the upstream with the real secret and hold only the placeholder', async () => {
  await using workspace = await openWorkspace();
  await prepareClients(workspace.path);
  await using upstream = await startUpstream((request, response) => {
    const url = request.url ?? '';
    if (request.headers.host === 'git.example.test') serveGit(path.join(workspace.path, 'served'), url, request.headers.authorization, response);
    else if (request.headers.host === 'api.openai.com') serveEvents(response, ['hello ', 'openai'].map((content) => ({ choices: [{ index: 0, delta: { content } }] })));
    else if (request.headers.host === 'api.anthropic.com') {
      serveEvents(response, ['hello ', 'anthropic'].map((text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })));
    } else response.end(`hello ${url.slice(1)}`);
  });

  const end = await runDecoy(
    [...bindings.flatMap((binding) => ['--secret', binding]), ...upstream.resolve(...hosts), '--', 'sh', 'all.sh'],
    { cwd: workspace.path, env: { ...real, ...upstream.env } },
  );

  for (const client of clients) expect(end.stdout, end.stderr).toContain(`${client}: hello ${client}\n`);
  expect(end.stdout, end.stderr).toContain('openai: hello openai\n');
  expect(end.stdout, end.stderr).toContain('anthropic: hello anthropic\n');
  expect(end.stdout, end.stderr).toContain('git: from the repository\n');

  const authorizations = (host: string) => upstream.received.filter((each) => each.host === host).map(({ headers }) => headerOf(headers, 'authorization') ?? headerOf(headers, 'x-api-key'));
  expect(authorizations('api.example.test')).toEqual(clients.map(() => `Bearer ${real.API_KEY}`));
  expect(authorizations('api.openai.com')).toEqual([`Bearer ${real.OPENAI_API_KEY}`]);
  expect(authorizations('api.anthropic.com')).toEqual([`Bearer ${real.ANTHROPIC_API_KEY}`]);
  expect(authorizations('git.example.test')).toContain(`Basic ${Buffer.from(`x-access-token:${real.GIT_TOKEN}`).toString('base64')}`);

  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
  expect(end.stdout).toMatch(/^key: .{24,}\n/);
}, 180_000);

test('without the bindings the same clients get nowhere and the upstream sees nothing', async () => {
  await using workspace = await openWorkspace();
  await prepareClients(workspace.path);
  await using upstream = await startUpstream((_request, response) => void response.end('hello anyone'));
  const end = await runDecoy(
    [...upstream.resolve(...hosts), ...Object.keys(real).flatMap((name) => ['--env', `${name}=not-a-secret-at-all`]), '--', 'sh', 'all.sh'],
    { cwd: workspace.path, env: upstream.env },
  );
  expect(end.stdout).not.toContain('hello');
  expect(upstream.received).toEqual([]);
  expect(end.report?.blocked.map(({ host }) => host).sort()).toEqual([...hosts].sort());
}, 180_000);

async function prepareClients(workspace: string): Promise<void> {
  const programs = path.join(import.meta.dirname, 'programs');
  cpSync(programs, workspace, { recursive: true });
  execFileSync('go', ['build', '-o', path.join(workspace, 'client-go'), path.join(programs, 'client.go')], { env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GO111MODULE: 'off' } });
  await build({
    entryPoints: { openai: path.join(programs, 'openai-client.mjs'), anthropic: path.join(programs, 'anthropic-client.mjs') },
    outdir: workspace, outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const work = path.join(workspace, 'origin');
  mkdirSync(work);
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.test', ...args], { cwd: work, stdio: 'pipe' });
  git('init', '-q');
  writeFileSync(path.join(work, 'file.txt'), 'from the repository');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('clone', '-q', '--bare', '.', path.join(workspace, 'served', 'repo.git'));
  execFileSync('git', ['update-server-info'], { cwd: path.join(workspace, 'served', 'repo.git') });
}

/** Git's dumb protocol: plain files, for who knows the token. */
function serveGit(folder: string, url: string, authorization: string | undefined, response: ServerResponse): void {
  const expected = `Basic ${Buffer.from(`x-access-token:${real.GIT_TOKEN}`).toString('base64')}`;
  const file = path.join(folder, path.normalize(url.split('?')[0] as string));
  if (authorization !== expected) response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
  else if (!existsSync(file)) response.writeHead(404).end();
  else response.end(readFileSync(file));
}

function serveEvents(response: ServerResponse, events: readonly object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of events) response.write(`event: ${(event as { type?: string }).type ?? 'message'}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end('data: [DONE]\n\n');
}

function headerOf(headers: readonly string[], name: string): string | undefined {
  const index = headers.findIndex((text, position) => position % 2 === 0 && text.toLowerCase() === name);
  return index < 0 ? undefined : headers[index + 1];
}
