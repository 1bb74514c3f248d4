import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeHost } from '../../src/host.ts';
import { runCli } from '../cli/run-cli.ts';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { ask, openBench, portOf, startHttps } from './open-bench.ts';

let folder: string;
let authority: Authority;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decoy-roots-'));
  authority = await createAuthority();
  const other = (await createAuthority()).certificatePem;
  const faulty = other.replace(/\n.{8}/, '\nAAAAAAAA');
  await writeFile(file('root.pem'), `A comment.\n${authority.certificatePem}`);
  await writeFile(file('other.pem'), other);
  await writeFile(file('bundle.pem'), `${other}\n${faulty}\n${authority.certificatePem}`);
  await writeFile(file('empty.pem'), '');
  await writeFile(file('faulty.pem'), faulty);
  await writeFile(file('key.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each<[string, { extra?: string[]; system?: string[] }, number]>([
  ['none', {}, 502],
  ['NODE_EXTRA_CA_CERTS', { extra: ['root.pem'] }, 200],
  ['NODE_EXTRA_CA_CERTS next to a system\'s bundle', { extra: ['root.pem'], system: ['other.pem'] }, 200],
  ['the system\'s bundle, behind a faulty certificate', { system: ['bundle.pem'] }, 200],
  ['the first system\'s bundle there is', { system: ['missing.pem', 'empty.pem', 'root.pem', 'other.pem'] }, 200],
  ['only the first system\'s bundle', { system: ['other.pem', 'root.pem'] }, 502],
  ['a file that is not there', { extra: ['missing.pem'] }, 502],
])('trusted roots: %s', async (_, { extra = [], system = [] }, status) => {
  const server = await startHttps(authority, (_request, response) => void response.end('ok'));
  await using bench = await openBench({
    options: {
      upstreamCertificates: [], upstreamRootFiles: { extra: extra.map(file), system: system.map(file) },
      resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: portOf(server) }],
    },
  });
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
  server.closeAllConnections();
  server.close();
  expect(answer.status).toBe(status);
  if (status !== 200) expect(answer.body.toString()).toContain('add its CA to this system\'s trusted certificates, or name it in NODE_EXTRA_CA_CERTS');
});

describe('a file of roots that cannot be used is warned of', () => {
  const environmentFor = (variable: string, path: string) => ({ [variable]: path });
  test.each([
    ['missing.pem', 'cannot be read (ENOENT)'], ['empty.pem', 'holds no certificate'], ['faulty.pem', 'holds no certificate'], ['key.pem', 'holds no certificate'],
    ['.', 'is not a file'], ['root.pem', null], ['bundle.pem', null],
  ])('%s', (name, why) => {
    for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) {
      const path = file(name);
      const { warnings, upstreamRootFiles } = describeHost(environmentFor(variable, path), '/dist');
      expect(warnings).toEqual(why === null ? [] : [
        `${variable}: \`${path}\` ${why}, so nothing it is to vouch for is trusted: name a file of certificates in PEM form, or unset ${variable} for Decoy`,
      ]);
      expect(upstreamRootFiles!.unusable).toEqual(why === null ? [] : [variable]);
    }
  });

  test('by a run, before it starts anything', () => {
    const path = file('missing.pem');
    const { exitCode, lines } = runCli(['run', '--workspace', 'none', '--quiet', '--', 'true'], { env: { NODE_EXTRA_CA_CERTS: path } });
    expect(exitCode).toBe(125);
    expect(lines.filter((line) => line.startsWith('decoy: warning: '))).toEqual([
      `decoy: warning: NODE_EXTRA_CA_CERTS: \`${path}\` cannot be read (ENOENT), so nothing it is to vouch for is trusted: name a file of certificates in PEM form, or unset NODE_EXTRA_CA_CERTS for Decoy`,
    ]);
  });

  test('by the answer, where a certificate is then not trusted, without its path', async () => {
    const server = await startHttps(authority, (_request, response) => void response.end('ok'));
    const { upstreamRootFiles } = describeHost({ NODE_EXTRA_CA_CERTS: file('missing.pem') }, '/dist');
    await using bench = await openBench({
      options: {
        upstreamCertificates: [], upstreamRootFiles: { ...upstreamRootFiles!, system: [] },
        resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: portOf(server) }],
      },
    });
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
    server.closeAllConnections();
    server.close();
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([502, expect.objectContaining({ reason: 'upstream-tls', remedy: expect.stringMatching(
      /; the file NODE_EXTRA_CA_CERTS names now cannot be used, as a warning at the start of the run tells\.$/,
    ) })]);
    expect(answer.body.toString()).not.toContain('missing.pem');
  });
});

test('a host with an authority of its own is trusted by that one alone, and that one for no other host', async () => {
  const server = await startHttps(authority, (_request, response) => void response.end('ok'));
  const { certificatePem: stranger } = await createAuthority();
  const hosts = ['pinned.test', 'elsewhere.test', 'free.test'];
  await using bench = await openBench({
    allow: hosts, names: [],
    options: {
      upstreamCertificates: [], upstreamRootFiles: { extra: [], system: [] },
      pinnedAuthorities: [{ host: 'pinned.test', certificatePem: authority.certificatePem }, { host: 'elsewhere.test', certificatePem: stranger }],
      resolve: hosts.map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
    },
  });
  const statusOf = async (to: typeof bench, host: string) => (await ask(to.agentTo(host), { headers: { host } })).status;
  expect(await Promise.all(hosts.map((host) => statusOf(bench, host)))).toEqual([200, 502, 502]);
  await using trusting = await openBench({
    allow: hosts, names: [],
    options: {
      upstreamCertificates: [authority.certificatePem], pinnedAuthorities: [{ host: 'elsewhere.test', certificatePem: stranger }],
      resolve: hosts.map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
    },
  });
  expect([await statusOf(trusting, 'free.test'), await statusOf(trusting, 'elsewhere.test')]).toEqual([200, 502]);
  server.closeAllConnections();
  server.close();
});

test('where they are is told by Decoy\'s own environment', () => {
  expect(describeHost({ NODE_EXTRA_CA_CERTS: '/a.pem', SSL_CERT_FILE: '/b.pem' }, '/dist').upstreamRootFiles).toEqual({ extra: ['/a.pem'], system: ['/b.pem'], unusable: ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'] });
  const { extra, system } = describeHost({ NODE_EXTRA_CA_CERTS: '' }, '/dist').upstreamRootFiles!;
  expect([extra, system[0]]).toEqual([[], '/etc/ssl/certs/ca-certificates.crt']);
});
