import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type tls from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseHostPattern } from '../../src/policy/parse-host-pattern.ts';
import type { ClientCertificate } from '../../src/proxy/upstream-contexts.ts';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { openForwardProxy } from './forward-proxy.ts';
import { makeCertificate } from './make-certificate.ts';
import { ask, askHttp2, openBench, portOf } from './open-bench.ts';

let folder: string;
let server: https.Server;
let authority: Authority;
let made: ReturnType<typeof makeCertificate>[];

/** The upstream answers with the name on the certificate it was shown. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decoy-client-'));
  made = ['exact', 'one', 'deep'].map((name) => makeCertificate(folder, name));
  authority = await createAuthority();
  server = https.createServer({
    requestCert: true, rejectUnauthorized: false, ca: made.map(({ certificatePem }) => certificatePem),
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, (request, response) => void response.end((request.socket as tls.TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const certificateFor = (host: string, { certificatePem, keyPem }: { certificatePem: string; keyPem: string }): ClientCertificate => {
  const pattern = parseHostPattern(host);
  if (!pattern.ok) throw new Error(pattern.problem);
  return { host: pattern.value, certificatePem, keyPem };
};

const hosts = ['api.corp.test', 'other.corp.test', 'a.b.corp.test', 'corp.test', 'stranger.test'];
const openCorp = () => openBench({
  allow: hosts, names: [],
  options: {
    upstreamCertificates: [authority.certificatePem],
    clientCertificates: [certificateFor('**.corp.test', made[2]!), certificateFor('*.corp.test', made[1]!), certificateFor('api.corp.test', made[0]!)],
    resolve: hosts.map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
  },
});

test.each([
  ['api.corp.test', 'exact'], ['other.corp.test', 'one'], ['a.b.corp.test', 'deep'], ['corp.test', 'nobody'], ['stranger.test', 'nobody'],
])('%s is shown the narrowest certificate for it: %s', async (host, shown) => {
  await using bench = await openCorp();
  expect((await ask(bench.agentTo(host), { headers: { host } })).body.toString()).toBe(shown);
});

test('a host with an authority of its own is shown one only where one is for it', async () => {
  await using bench = await openBench({
    allow: hosts, names: [],
    options: {
      upstreamCertificates: [],
      pinnedAuthorities: ['api.corp.test', 'stranger.test'].map((host) => ({ host, certificatePem: authority.certificatePem })),
      clientCertificates: [certificateFor('api.corp.test', made[0]!)],
      resolve: hosts.map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
    },
  });
  const shownTo = async (host: string) => (await ask(bench.agentTo(host), { headers: { host } })).body.toString();
  expect([await shownTo('api.corp.test'), await shownTo('stranger.test')]).toEqual(['exact', 'nobody']);
});

test('over HTTP/2 it is shown, too', async () => {
  const sessions: string[] = [];
  await using bench = await openBench({
    allow: hosts, names: hosts,
    http2Options: { requestCert: true, rejectUnauthorized: false, ca: made.map(({ certificatePem }) => certificatePem) },
    http2Upstream: (stream) => {
      sessions.push((stream.session!.socket as tls.TLSSocket).getPeerCertificate().subject?.CN as string ?? 'nobody');
      stream.respond({ ':status': 200 });
      stream.end();
    },
    options: { clientCertificates: [certificateFor('*.corp.test', made[1]!)] },
  });
  for (const host of ['api.corp.test', 'stranger.test']) expect((await askHttp2(bench.http2(host), {})).status).toBe(200);
  expect(sessions).toEqual(['one', 'nobody']);
});

test('it opens no host by itself', async () => {
  await using bench = await openBench({
    allow: ['other.test'], names: ['api.test'], upstream: (_, response) => void response.end('reached'),
    options: { clientCertificates: [certificateFor('api.test', made[0]!)] },
  });
  bench.tls('api.test').on('error', () => undefined);
  expect((await bench.entriesOf(1))[0]).toMatchObject({ host: 'api.test', decision: 'blocked', reason: 'host-not-allowed' });
});

test('a proxy on the way that speaks TLS is not shown it', async () => {
  const seen: unknown[] = [];
  await using proxy = await openForwardProxy({ context: await authority.leafContext('proxy.corp.test'), onClient: (name) => seen.push(name) });
  proxy.lead('api.corp.test:443', portOf(server));
  const described = proxy.describe({ host: 'proxy.corp.test' });
  await using bench = await openBench({
    allow: hosts, names: [],
    options: {
      upstreamCertificates: [authority.certificatePem], clientCertificates: [certificateFor('*.corp.test', made[1]!)],
      upstreamProxies: { https: described, http: null, noProxy: '' },
      resolveName: async (host) => [host === described.host ? '127.0.0.1' : '203.0.113.9'],
    },
  });
  expect((await ask(bench.agentTo('api.corp.test'), { headers: { host: 'api.corp.test' } })).body.toString()).toBe('one');
  expect(seen).toEqual([undefined]);
});

// In TLS 1.3 the refusal comes after the handshake, and may be lost with the connection.
test.each<[string, number | null, RegExp]>([
  // OpenSSL's own code has a slash in it from Node 22 on.
  ['is shown none', null, /TLS handshake with .* failed \([\w/]+\); check .* whether it wants a client certificate/],
  ['is shown a stranger\'s', 1, /wants another client certificate than it was shown, or any \(\w+\); check the one client-certificates names for it/],
  ['is shown the right one', 0, /s_server/],
])('an upstream that insists on one and %s', async (_, shown, told) => {
  // Node's own servers close without an alert; OpenSSL's sends one, as nginx and others do.
  const strict = await startOpenssl(made[0]!.certificateFile);
  await using bench = await openBench({
    names: [],
    options: {
      upstreamCertificates: [strict.certificatePem],
      clientCertificates: shown === null ? [] : [certificateFor('api.test', made[shown]!)],
      resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: strict.port }],
    },
  });
  const { status, headers, body } = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
  await strict.stop();
  expect([status, headers['x-decoy-blocked']]).toEqual(shown === 0 ? [200, undefined] : [502, 'upstream-tls']);
  expect(body.toString()).toMatch(told);
});

/** A server of OpenSSL's that serves only clients with a certificate of `ca`, over TLS 1.2. */
async function startOpenssl(ca: string) {
  const own = makeCertificate(folder, 'api.test', { altName: 'api.test' });
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', own.certificateFile, '-key', own.keyFile, '-Verify', '1', '-verify_return_error', '-CAfile', ca, '-www', '-tls1_2'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(server, 'exit');
  let printed = '';
  const port = await new Promise<number>((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const [, text] = /^ACCEPT .*:(\d+)$/m.exec(printed) ?? [];
      if (text !== undefined) resolve(Number(text));
    });
    server.once('exit', () => reject(new Error(printed)));
  });
  return {
    port, certificatePem: own.certificatePem,
    async stop() {
      server.kill();
      await ended;
    },
  };
}
