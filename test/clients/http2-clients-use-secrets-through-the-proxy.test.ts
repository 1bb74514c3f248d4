import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';
import { headerOf } from './header-of.ts';
import { startWords } from './http2/start-words.ts';
import { strangersRoots } from './strangers-roots.ts';

const real = {
  API_KEY: 'real-api-key-52e9b1c07f4a', GRPC_TOKEN: 'realGrpcTokenRealGrpcTokenRealGrpcToken01',
  AWS_BEARER_TOKEN_BEDROCK: 'bedrock-api-key-cmVhbEJlZHJvY2tLZXlSZWFsQmVkcm9ja0tleQ',
};
const hosts = ['api.example.test', 'grpc.example.test', 'bedrock-runtime.us-east-1.amazonaws.com'];
const secrets = Object.keys(real).flatMap((name, index) => ['--secret', `${name}@${hosts[index]}`]);
const command = ['sh', 'run-all.sh'];
const programs = path.join(import.meta.dirname, 'http2');
const greetings = [
  ...['curl', 'go', 'node'].map((client) => `${client}: hello ${client} over 2`),
  'grpc, unary: got one, Bearer ', 'grpc, both: got two', 'grpc, both: got three', 'bedrock: hello bedrock',
];

let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace();
  await prepare(workspace.path);
});
afterAll(() => workspace[Symbol.asyncDispose]());

test('clients that speak HTTP/2 reach the upstream over it, with the real secret, and hold only the placeholder', async () => {
  await using servers = await startServers();
  const end = await runDecoy([...secrets, ...servers.resolve, '--', ...command], { cwd: workspace.path, env: { ...real, ...servers.env } });
  for (const line of greetings) expect(end.stdout, end.stderr).toContain(line);
  const { received } = servers.upstream;
  expect(received.map(({ version, host, url }) => [version, host, url])).toEqual([
    ...['/curl', '/go', '/node'].map((url) => ['2.0', hosts[0], url]), ['2.0', hosts[2], '/model/m/converse'],
  ]);
  const authorizations = received.map(({ headers }) => headerOf(headers, 'authorization'));
  expect(authorizations).toEqual([...Array(3).fill(`Bearer ${real.API_KEY}`), `Bearer ${real.AWS_BEARER_TOKEN_BEDROCK}`]);
  expect(servers.words.authorizations).toEqual(Array(2).fill(`Bearer ${real.GRPC_TOKEN}`));
  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
});

test('without the bindings the same clients get nowhere, and the servers see nothing', async () => {
  await using servers = await startServers();
  const none = Object.keys(real).flatMap((name) => ['--env', `${name}=not-a-secret-at-all`]);
  const end = await runDecoy([...none, ...servers.resolve, '--', ...command], { cwd: workspace.path, env: servers.env });
  for (const line of greetings) expect(end.stdout).not.toContain(line);
  expect([servers.upstream.received, servers.words.authorizations]).toEqual([[], []]);
  expect(end.report?.blocked.map(({ host }) => host).sort()).toEqual([...hosts].sort());
});

test('with roots that lack the run\'s authority the same clients connect and refuse, and the servers see nothing', async () => {
  await using servers = await startServers();
  const roots = await strangersRoots(workspace.path);
  const end = await runDecoy([...secrets, ...servers.resolve, ...roots, ...command], { cwd: workspace.path, env: { ...real, ...servers.env } });
  for (const line of greetings) expect(end.stdout).not.toContain(line);
  expect([servers.upstream.received, servers.words.authorizations]).toEqual([[], []]);
  expect(end.report?.usage.network.hosts.map(({ host }) => host).sort()).toEqual([...hosts].sort());
});

/** One server for gRPC, one for the rest, and what makes Decoy trust and find both. */
async function startServers() {
  const upstream = await startUpstream((request, response) => {
    const url = request.url ?? '';
    if (!url.startsWith('/model/')) return void response.end(`hello ${url.slice(1)}`);
    const content = [{ text: 'hello bedrock' }];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ output: { message: { role: 'assistant', content } } }));
  }, { speaksHttp2: true });
  const words = await startWords();
  const caFile = path.join(workspace.path, 'authorities.pem');
  writeFileSync(caFile, `${readFileSync(upstream.env.NODE_EXTRA_CA_CERTS, 'utf8')}\n${words.certificatePem}`);
  return {
    upstream, words, env: { NODE_EXTRA_CA_CERTS: caFile },
    resolve: [...upstream.resolve(hosts[0]!, hosts[2]!), '--resolve', `${hosts[1]}:443:127.0.0.1:${words.port}`],
    async [Symbol.asyncDispose]() {
      await words[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

async function prepare(workspace: string): Promise<void> {
  cpSync(programs, workspace, { recursive: true });
  execFileSync('go', ['build', '-o', path.join(workspace, 'client-go'), path.join(programs, 'client.go')], { env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GO111MODULE: 'off' } });
  await build({
    entryPoints: ['grpc.mjs', 'bedrock.mjs'].map((name) => path.join(programs, name)), outdir: workspace, allowOverwrite: true,
    outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; import { fileURLToPath } from 'node:url'; const require = createRequire(import.meta.url); const __dirname = fileURLToPath(new URL('.', import.meta.url));" },
  });
}
