import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runDecoy } from './support/run-decoy.ts';
import { startUpstream } from './support/upstream.ts';
import { openWorkspace, probes } from './support/workspace.ts';

// I5
const secret = `sk-${randomBytes(30).toString('base64url')}`;
const [bound, other] = ['api.example.test', 'other.example.test'];
const wrong = [`authority ${other} https`, `port ${bound}:8443 https`, `scheme ${bound} http`, `host ${bound} https ${other}`];
const requests = [`first ${bound} https`, ...wrong, `last ${bound.toUpperCase()}:443 https`];

test('one HTTP/2 connection carries requests and a secret to its own host alone, whatever its streams say', async () => {
  await using workspace = await openWorkspace();
  await using upstream = await startUpstream((_, response) => void response.end('ok'), { speaksHttp2: true });
  const end = await runDecoy([
    '--quiet', '--secret', `API_KEY@${bound}`, '--allow', other, ...upstream.resolve(bound, other), '--', 'node', 'probes/streams.mjs', bound, ...requests,
  ], { cwd: workspace.path, env: { ...upstream.env, API_KEY: secret } });
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  expect(end.stdout.trim().split('\n').sort()).toEqual([
    'authority 421 host-mismatch', 'first 200 passed', 'host 421 host-mismatch', 'last 200 passed', 'port 421 host-mismatch', 'scheme 421 host-mismatch',
  ]);
  expect(upstream.received.map(({ version, host, url }) => `${version} ${host}${url}`).sort()).toEqual([`2.0 ${bound}/first`, `2.0 ${bound}/last`]);
  for (const { headers } of upstream.received) expect(headers).toContain(`Bearer ${secret}`);
  expect(end.report).toMatchObject({ secrets: [{ name: 'API_KEY', substitutions: 2 }] });
  expect(end.auditLog.match(/"host-mismatch"/g)).toHaveLength(wrong.length);
}, 60_000);

// The control: what the probe sends, the upstream takes as it is said.
test('without Decoy the same streams all arrive, with the names they say', async () => {
  await using upstream = await startUpstream((_, response) => void response.end('ok'), { speaksHttp2: true });
  const env = { ...process.env, ...upstream.env, API_KEY: secret };
  await promisify(execFile)(process.execPath, [path.join(probes, 'streams.mjs'), `localhost:${upstream.port}`, ...requests], { env });
  const seen = upstream.received.map(({ url, headers }) => [url.slice(1), headers[headers.indexOf(':authority') + 1]]);
  expect(Object.fromEntries(seen)).toMatchObject({ first: bound, authority: other, port: `${bound}:8443` });
  expect(upstream.received).toHaveLength(requests.length);
}, 60_000);
