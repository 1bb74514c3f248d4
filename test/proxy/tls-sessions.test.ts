import { once } from 'node:events';
import https from 'node:https';
import type tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { ask, openBench, portOf, type Bench } from './open-bench.ts';

const servers: https.Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => stop(server)));

/** Closes each connection after one answer, which says whether its TLS session was resumed. */
async function startUpstream(authority: Authority, { port = 0, name = (asked: string) => asked, ...options }: https.ServerOptions & { port?: number; name?: (asked: string) => string } = {}) {
  const server = https.createServer({
    ...options, SNICallback: (asked, done) => void Promise.resolve(authority.leafContext(name(asked))).then((context) => done(null, context), done),
  }, (request, response) => {
    response.setHeader('connection', 'close');
    response.end((request.socket as tls.TLSSocket).isSessionReused() ? 'resumed' : 'new');
  });
  servers.push(server);
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

async function stop(server: https.Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}

const openTo = (port: number, authority: Authority) => openBench({
  names: [],
  options: { upstreamCertificates: [authority.certificatePem], resolve: ['api.test', 'other.test'].map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: port })) },
});
const get = async (bench: Bench, host = 'api.test') => {
  const { headers, body } = await ask(bench.agentTo(host), { headers: { host } });
  return headers['x-decoy-blocked'] ?? body.toString();
};

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  const only = { minVersion: version, maxVersion: version };

  test('the session with an upstream is resumed, and not with another name', async () => {
    const authority = await createAuthority();
    const server = await startUpstream(authority, only);
    await using bench = await openTo(portOf(server), authority);
    expect([await get(bench), await get(bench), await get(bench, 'other.test'), await get(bench, 'other.test')]).toEqual(['new', 'resumed', 'new', 'resumed']);
  });

  test('one that stands in for the upstream is not trusted for its session', async () => {
    const [authority, stranger] = [await createAuthority(), await createAuthority()];
    const server = await startUpstream(authority, only);
    const port = portOf(server);
    await using bench = await openTo(port, authority);
    expect(await get(bench)).toBe('new');
    await stop(server);
    const other = await startUpstream(stranger, { ...only, port });
    expect([await get(bench), await get(bench)]).toEqual(['upstream-tls', 'upstream-tls']);
    await stop(other);
    await startUpstream(authority, { ...only, port });
    expect(await get(bench)).toBe('new');
  });

  test('a session with an upstream that proved to be another is not kept', async () => {
    const authority = await createAuthority();
    const server = await startUpstream(authority, { ...only, name: () => 'wrong.test' });
    await using bench = await openTo(portOf(server), authority);
    expect([await get(bench), await get(bench)]).toEqual(['upstream-tls', 'upstream-tls']);
  });
});
