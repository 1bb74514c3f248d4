import { readdirSync } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, settled } from './support/footprint.ts';
import { holdGatewayStart } from './support/held-engine.ts';
import { runDecoy, startDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I15
test('a command starts after the canary, and finds nothing of it', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('answer'));
  const script = [
    // The first address there is was the canary's.
    'python3 probes/connect.py tcp,198.18.0.1,443', 'getent ahostsv4 allowed.example.test | head -1',
    'env', 'cat /proc/1/cmdline /etc/hosts /etc/resolv.conf; ls -a /run /tmp', 'curl -sS https://allowed.example.test/', 'echo; echo ready; sleep 5',
  ].join('\n');
  const running = startDecoy(
    ['--allow', 'allowed.example.test', ...upstream.resolve('allowed.example.test'), '--', 'sh', '-c', script], { cwd: workspace.path, env: upstream.env },
  );
  await running.printed('ready');
  const ids = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${running.pid}`])).stdout.split('\n').filter(Boolean);
  expect(ids).toHaveLength(3);
  const inspected = (await docker(['inspect', ...ids])).stdout;
  const runId = /"decoy\.run": "([^"]+)"/.exec(inspected)![1]!;
  const sockets = readdirSync(path.join(os.tmpdir(), `decoy-${runId}`));
  const end = await running.ended;

  expect(end, end.stderr).toMatchObject({ exitCode: 0, report: { conclusion: 'success' } });
  expect(end.report!.startup!.canaryMs).toBeGreaterThan(0);
  expect(end.stderr).toMatch(/Start-up canary: held, [\d,]+ ms\./);
  // No channel for probes is left, and what was the canary's address is nobody's until the first name is asked for.
  expect(sockets.filter((name) => name.endsWith('.sock')).sort()).toEqual(['control.sock', 'proxy.sock']);
  expect(end.stdout).toContain('"target": "tcp,198.18.0.1,443", "reached": false');
  expect(end.stdout).toMatch(/^198\.18\.0\.1\s/m);
  expect(end.stdout).toContain('answer');
  const entries = end.auditLog.trim().split('\n').map((line) => JSON.parse(line) as { host: string; reason: string | null });
  expect(entries.map(({ host, reason }) => [host, reason])).toEqual([
    ['198.18.0.1', 'no-name-for-address'], ['allowed.example.test', null], ['allowed.example.test', null],
  ]);
  expect(end.report!.usage.network.hosts.map(({ host }) => host).sort()).toEqual(['198.18.0.1', 'allowed.example.test']);
  expect(end.report!.secrets).toEqual([]);
  const { startup: _, ...rest } = end.report!;
  for (const text of [end.stdout, end.auditLog, inspected, JSON.stringify(rest)]) expect(text).not.toMatch(/canary|\.invalid/i);
}, 60_000);

test('a proxy that cannot be reached ends the run before the command starts', async () => {
  await using workspace = await openWorkspace();
  const args = ['--workspace', 'none', '--', 'echo', 'STARTED'];
  // The control: held back, but nothing taken away.
  await using sound = await holdGatewayStart(async () => {});
  const control = await runDecoy(args, { cwd: workspace.path, env: { DOCKER_HOST: sound.dockerHost } });
  expect(control, control.stderr).toMatchObject({ exitCode: 0, stdout: 'STARTED\n' });

  await using broken = await holdGatewayStart(removeProxySocket);
  const end = await runDecoy(args, { cwd: workspace.path, env: { DOCKER_HOST: broken.dockerHost } });
  expect(end, end.stderr).toMatchObject({ exitCode: 125, stdout: '', report: { conclusion: 'error' } });
  expect(end.report!.error).toMatch(/^the start-up canary failed at "interception": .*the command was not started/);
  expect(end.report).not.toHaveProperty('startup');
  expect(end.stderr).toContain('the start-up canary failed at "interception"');
  expect(end.auditLog).toBe('');
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 90_000);

/** Once the proxy listens and its socket is the gateway's. */
async function removeProxySocket(runId: string): Promise<void> {
  const file = path.join(os.tmpdir(), `decoy-${runId}`, 'proxy.sock');
  const owner = process.getuid!() === 0 ? 65_532 : process.getuid!();
  const found = await settled(async () => ((await stat(file).catch(() => null))?.uid === owner ? [] : ['the socket is not there yet']), 30);
  expect(found).toEqual([]);
  await unlink(file);
}
