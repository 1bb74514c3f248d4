import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openForwardProxy } from '../proxy/forward-proxy.ts';
import { makeCertificate } from '../proxy/make-certificate.ts';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace } from './support/workspace.ts';

// I1, I2, I3, I4

test('upstreams are reached through the host\'s proxy; neither it, nor its password, nor a client\'s key is in the sandbox or in a report', async () => {
  const password = randomBytes(12).toString('hex');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'integration-proxy-'));
  const client = makeCertificate(folder, 'client');
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('reached'));
  await using proxy = await openForwardProxy({ credentials: `me:${password}` });
  proxy.lead('api.example.test:443', upstream.port);
  const run = (login: string) => runDecoy([
    '--quiet', '--allow', 'api.example.test', '--client-certificate', `api.example.test=${client.certificateFile},${client.keyFile}`,
    '--proxy-limit', 'requests-per-minute=1', '--', 'sh', '-c',
    'env; cat /proc/*/environ; ls -l "$1"; for i in 1 2; do curl -sS -m 20 https://api.example.test/x; echo " $?"; done', 'sh', client.keyFile,
  ], { cwd: workspace.path, env: { ...upstream.env, HTTPS_PROXY: `http://${login}@127.0.0.1:${proxy.port}`, NO_PROXY: 'other.test' } });

  const end = await run(`me:${password}`);
  expect(end.stdout).toMatch(/reached 0$/m);
  expect(end.stdout).toContain('Send at most 1 requests a minute');
  // A second time where the first has shown that the upstream does not speak HTTP/2; never for the canary.
  expect(new Set(proxy.asked.map(({ authority }) => authority))).toEqual(new Set(['api.example.test:443']));
  expect(upstream.received.map(({ url }) => url)).toEqual(['/x']);
  expect(end.stdout).not.toMatch(/_PROXY=|BEGIN.*KEY/i);
  expect(end.stderr).toContain('No such file');

  const refused = await run(`me:wrong${password}`);
  expect(refused.stdout).toMatch(/"reason":"upstream-proxy".*does not accept the user name and password/);
  for (const text of [end, refused].flatMap(({ stdout, stderr, reportText, auditLog }) => [stdout, stderr, reportText, auditLog])) {
    expect(text).not.toContain(password);
    expect(text).not.toContain(Buffer.from(`me:wrong${password}`).toString('base64'));
  }
  expect(refused.auditLog).toContain('upstream-proxy');
  await rm(folder, { recursive: true, force: true });
});

test('the trusted roots are not waited for before the command starts', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'integration-roots-'));
  const pipe = path.join(folder, 'roots.pem');
  // Whoever reads it waits for ever.
  execFileSync('mkfifo', [pipe]);
  await using workspace = await openWorkspace();
  const end = await runDecoy(['--quiet', '--proxy-limit', 'connections=4', '--proxy-limit', 'requests-running=1', '--proxy-limit', 'idle=1s', '--', 'echo', 'started'], { cwd: workspace.path, env: { SSL_CERT_FILE: pipe } });
  expect([end.exitCode, end.stdout]).toEqual([0, 'started\n']);
  await rm(folder, { recursive: true, force: true });
});

test('what cannot be used is refused before anything is started', async () => {
  await using workspace = await openWorkspace();
  const client = makeCertificate(workspace.path, 'client');
  const end = await runDecoy([
    '--quiet', '--client-certificate', `api.example.test=${client.certificateFile},${client.keyFile}`, '--proxy-limit', 'idle=0s', '--', 'true',
  ], { cwd: workspace.path, env: { ALL_PROXY: 'socks5://me:pa55word@proxy.corp:1080' } });
  expect(end.exitCode).toBe(125);
  expect(end.stderr).toContain('ALL_PROXY: `socks5://proxy.corp:1080` is no HTTP proxy');
  expect(end.stderr).toContain('where the sandbox could read it');
  expect(end.stderr).toContain('proxy-limits: `idle`: `0s` is shorter than the least of 1s');
  expect(end.stderr).not.toContain('pa55word');
});
