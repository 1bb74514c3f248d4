import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';
import { headerOf } from './header-of.ts';
import { javas } from './javas.ts';
import { strangersRoots } from './strangers-roots.ts';

const real = {
  API_KEY: 'real-api-key-52e9b1c07f4a', STRIPE_SECRET_KEY: 'sk_test_51realStripeKeyRealStripeKeyRealStripeKey01',
  AWS_BEARER_TOKEN_BEDROCK: 'bedrock-api-key-cmVhbEJlZHJvY2tLZXlSZWFsQmVkcm9ja0tleQ',
};
const hosts = ['api.example.test', 'api.stripe.com', 'bedrock-runtime.us-east-1.amazonaws.com'];
const secrets = Object.keys(real).flatMap((name, index) => ['--secret', `${name}@${hosts[index]}`]);
const command = ['sh', 'run-all.sh'];
const programs = path.join(import.meta.dirname, 'runtimes');
const greetings = [
  'deno, import: hello import', 'deno, fetch: hello fetch', 'deno, node:https: hello node-https',
  ...javas().map(({ version }) => `java ${version}: hello java-${version}`), 'stripe: 1200 eur', 'bedrock: hello bedrock',
];

// One for all: what a run changes, it changes in a copy.
let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace();
  await prepare(workspace.path);
});
afterAll(() => workspace[Symbol.asyncDispose]());

test('there is a Java older than the ones that come with distributions now', () => {
  expect(javas().map(({ version }) => version)).toContainEqual(expect.stringMatching(/^(1\.8|11)\./));
});

test('runtimes and SDKs with roots of their own reach the upstream with the real secret and hold only the placeholder', async () => {
  await using upstream = await startUpstream(respond);
  const end = await runDecoy([...secrets, ...upstream.resolve(...hosts), '--', ...command], { cwd: workspace.path, env: { ...real, ...upstream.env } });
  for (const line of greetings) expect(end.stdout, end.stderr).toContain(line);
  const requests = [greetings.length - 2, 1, 1];
  Object.values(real).forEach((value, index) => {
    const authorizations = upstream.received.filter((each) => each.host === hosts[index]).map(({ headers }) => headerOf(headers, 'authorization'));
    expect(authorizations).toEqual(Array(requests[index]).fill(`Bearer ${value}`));
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  });
});

test('without the bindings the same clients get nowhere, and the upstream sees nothing', async () => {
  await using upstream = await startUpstream(respond);
  const none = Object.keys(real).flatMap((name) => ['--env', `${name}=not-a-secret-at-all`]);
  const end = await runDecoy([...none, ...upstream.resolve(...hosts), '--', ...command], { cwd: workspace.path, env: upstream.env });
  for (const line of greetings) expect(end.stdout).not.toContain(line);
  expect(upstream.received).toEqual([]);
  expect(end.report?.blocked.map(({ host }) => host).sort()).toEqual(hosts);
});

test('with roots that lack the run\'s authority the same clients connect and refuse, and the upstream sees nothing', async () => {
  await using upstream = await startUpstream(respond);
  const roots = await strangersRoots(workspace.path);
  const end = await runDecoy([...secrets, ...upstream.resolve(...hosts), ...roots, ...command], { cwd: workspace.path, env: { ...real, ...upstream.env } });
  for (const line of greetings) expect(end.stdout).not.toContain(line);
  expect(upstream.received).toEqual([]);
  expect(end.report?.usage.network.hosts.map(({ host }) => host).sort()).toEqual(hosts);
});

const respond: RequestListener = (request, response) => {
  const url = request.url ?? '';
  const json = (value: object) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  if (request.headers.host === 'api.stripe.com') json({ object: 'balance', available: [{ amount: 1200, currency: 'eur' }] });
  else if (request.headers.host !== 'api.example.test') json({ output: { message: { role: 'assistant', content: [{ text: 'hello bedrock' }] } } });
  else if (url === '/greeting.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end("export const words = 'hello import';");
  else response.end(`hello ${url.slice(1)}`);
};

async function prepare(workspace: string): Promise<void> {
  cpSync(programs, workspace, { recursive: true });
  cpSync(path.join(path.dirname(createRequire(import.meta.url).resolve(`@deno/linux-${process.arch}-glibc/package.json`)), 'deno'), path.join(workspace, 'deno'));
  execFileSync('javac', ['--release', '8', '-Xlint:-options', '-d', workspace, path.join(programs, 'OldClient.java')], { stdio: 'pipe' });
  // The sandbox sees the system's Javas; one from elsewhere goes along.
  const lines = javas().map(({ version, home }) => {
    if (home.startsWith('/usr/')) return `${version} ${home}/bin/java`;
    cpSync(home, path.join(workspace, version), { recursive: true });
    return `${version} ./${version}/bin/java`;
  });
  writeFileSync(path.join(workspace, 'javas'), `${lines.join('\n')}\n`);
  await build({
    entryPoints: ['stripe.mjs', 'bedrock.mjs'].map((name) => path.join(programs, name)), outdir: workspace, allowOverwrite: true,
    outExtension: { '.js': '.mjs' }, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
}
