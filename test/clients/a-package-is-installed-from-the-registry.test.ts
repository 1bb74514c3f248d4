import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { runDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace } from '../integration/support/workspace.ts';

/** The machine's own registry, whichever it is; a closed network may serve it from a private address. */
async function registry(): Promise<{ url: string; host: string; resolve: string }> {
  const url = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const { hostname } = new URL(url);
  return { url, host: hostname, resolve: `${hostname}:443:${(await lookup(hostname, 4)).address}` };
}

const command = ['--', 'sh', '-c', 'cd && npm install --no-audit --no-fund --fetch-retries=0 is-number && node -e \'console.log("is-number says", require("is-number")(42))\''];
const machine = () => ({ NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'] ?? '' });

test('npm installs a package from the one host that is allowed', async () => {
  await using workspace = await openWorkspace();
  const { url, host, resolve } = await registry();
  const end = await runDecoy(['--allow', `GET ${host}`, '--resolve', resolve, '--env', `npm_config_registry=${url}`, ...command], { cwd: workspace.path, env: machine() });
  expect(end.stdout, end.stderr).toContain('is-number says true');
  expect(end.exitCode).toBe(0);
  expect(end.report?.usage.network.hosts.find((each) => each.host === host)?.responseBytes).toBeGreaterThan(1000);
});

test('without the rule the same installation is refused, and the report names the host', async () => {
  await using workspace = await openWorkspace();
  const { url, host, resolve } = await registry();
  const end = await runDecoy(['--resolve', resolve, '--env', `npm_config_registry=${url}`, ...command], { cwd: workspace.path, env: machine() });
  expect(end.exitCode).not.toBe(0);
  expect(end.stdout).not.toContain('is-number says');
  expect(end.report?.blocked.map((each) => each.host)).toContain(host);
  expect(end.report?.conclusion).toBe('failure');
});
