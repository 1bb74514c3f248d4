import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { startUpstream } from '../integration/support/upstream.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';
import { headerOf } from './header-of.ts';
import { openRegistries, registryHosts } from './registries/open-registries.ts';
import { strangersRoots } from './strangers-roots.ts';

const real = {
  PYTHON_TOKEN: 'pypi-realPythonTokenRealPythonTokenRealPythonTok1', CARGO_REGISTRIES_MINE_TOKEN: 'realCargoTokenRealCargoTokenReal02',
  BUNDLE_GEMS__EXAMPLE__TEST: 'reader:realGemTokenRealGemTokenRealGemToken03',
};
const { crates, gems, python } = registryHosts;
const hosts = Object.values(registryHosts);
const secrets = [`PYTHON_TOKEN@${python}`, `CARGO_REGISTRIES_MINE_TOKEN@${crates}`, `BUNDLE_GEMS__EXAMPLE__TEST@${gems}`].flatMap((secret) => ['--secret', secret]);
const authorizations = {
  [python]: basic(`reader:${real.PYTHON_TOKEN}`), [crates]: real.CARGO_REGISTRIES_MINE_TOKEN, [gems]: basic(real.BUNDLE_GEMS__EXAMPLE__TEST),
};
const command = ['sh', 'install-all.sh'];
const installed = ['pip: hello pip', 'cargo: hello cargo', 'bundler: hello ruby', 'gem: hello ruby'];

// One for all: what a run changes, it changes in a copy.
let workspace: Workspace;
let serve: RequestListener;
beforeAll(async () => {
  workspace = await openWorkspace();
  serve = await prepare(workspace.path);
});
afterAll(() => workspace[Symbol.asyncDispose]());

test('package managers install from private registries with the real token and hold only the placeholder', async () => {
  await using upstream = await startUpstream(serve);
  const end = await runDecoy([...secrets, ...upstream.resolve(...hosts), '--', ...command], { cwd: workspace.path, env: { ...real, ...upstream.env } });
  for (const line of installed) expect(end.stdout, end.stderr).toContain(line);
  for (const host of hosts) {
    // A client that waits to be asked for credentials sends its first request without any.
    const seen = new Set(upstream.received.filter((each) => each.host === host).map(({ headers }) => headerOf(headers, 'authorization')));
    seen.delete(undefined);
    expect([...seen]).toEqual([authorizations[host]]);
  }
  for (const value of Object.values(real)) {
    for (const text of [end.stdout, end.stderr, end.reportText, end.auditLog]) expect(text).not.toContain(value);
  }
});

test('without the bindings nothing is installed, and the registries see nothing', async () => {
  await using upstream = await startUpstream(serve);
  const none = Object.keys(real).flatMap((name) => ['--env', `${name}=not:a-secret-at-all`]);
  const end = await runDecoy([...none, ...upstream.resolve(...hosts), '--', ...command], { cwd: workspace.path, env: upstream.env });
  for (const line of installed) expect(end.stdout).not.toContain(line);
  expect(upstream.received).toEqual([]);
  expect(end.report?.blocked.map(({ host }) => host)).toEqual(expect.arrayContaining(hosts));
});

test('with roots that lack the run\'s authority every package manager connects and refuses, and the registries see nothing', async () => {
  await using upstream = await startUpstream(serve);
  const roots = await strangersRoots(workspace.path);
  const end = await runDecoy([...secrets, ...upstream.resolve(...hosts), ...roots, ...command], { cwd: workspace.path, env: { ...real, ...upstream.env } });
  for (const line of installed) expect(end.stdout).not.toContain(line);
  expect(upstream.received).toEqual([]);
  expect(end.report?.usage.network.hosts.map(({ host }) => host).sort()).toEqual([...hosts].sort());
});

async function prepare(workspace: string): Promise<RequestListener> {
  cpSync(path.join(import.meta.dirname, 'registries/install-all.sh'), path.join(workspace, 'install-all.sh'));
  cpSync(cargo(), path.join(workspace, 'cargo'));
  return openRegistries(path.join(workspace, 'registries'), authorizations);
}

/** The program itself: a home directory's `cargo` is rustup's, which looks for it in that home. */
function cargo(): string {
  try {
    return execFileSync('rustup', ['which', 'cargo'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return execFileSync('which', ['cargo'], { encoding: 'utf8' }).trim();
  }
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}
