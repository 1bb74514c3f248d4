import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Authority } from '../../src/trust/authority.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { openForwardProxy } from './forward-proxy.ts';
import { makeCertificate } from './make-certificate.ts';
import { askHttp2, openBench, portOf, type Http2Listener, type SetUp } from './open-bench.ts';

/** A bench that counts the connections its upstream over TLS accepts, finished or not. */
async function openCounted(setUp: SetUp) {
  const bench = await openBench(setUp);
  let connections = 0;
  bench.servers.https.on('connection', () => { connections += 1; });
  return { bench, connections: () => connections, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

const ok: http.RequestListener = (_, response) => void response.end('ok');
const version: Http2Listener = (stream) => {
  stream.respond({ ':status': 200 });
  stream.end('over 2');
};

describe('a request over HTTP/2 to an upstream that speaks HTTP/1.1 only makes one connection', () => {
  test('which later requests share', async () => {
    await using counted = await openCounted({ upstream: ok });
    const session = counted.bench.http2('api.test');
    for (let i = 0; i < 3; i++) expect((await askHttp2(session, { ':method': 'POST' }, 'body')).status).toBe(200);
    expect(counted.connections()).toBe(1);
  });

  test('for an upstream without ALPN as well', async () => {
    const authority = await createAuthority();
    await using server = await startTls(authority, (socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    });
    await using bench = await openTo(server.port, authority);
    expect((await askHttp2(bench.http2('api.test'), {})).body.toString()).toBe('ok');
    expect(server.connections()).toBe(1);
  });

  test('through a proxy, which is asked once, and of a name that is looked up once', async () => {
    await using proxy = await openForwardProxy();
    let lookUps = 0;
    await using counted = await openCounted({
      upstream: ok, names: [],
      options: {
        upstreamProxies: { https: proxy.describe(), http: null, noProxy: '' },
        // Looked up again, it would be refused.
        resolveName: async () => [(lookUps += 1) === 1 ? '203.0.113.9' : '10.0.0.1'],
      },
    });
    proxy.lead('api.test:443', portOf(counted.bench.servers.https));
    expect((await askHttp2(counted.bench.http2('api.test'), {})).status).toBe(200);
    expect([proxy.asked.map(({ authority }) => authority), lookUps, counted.connections()]).toEqual([['api.test:443'], 1, 1]);
  });

  test('on which the client certificate was shown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'decoy-first-'));
    const [shown, authority] = [makeCertificate(folder, 'me'), await createAuthority()];
    await rm(folder, { recursive: true });
    const options = { requestCert: true, rejectUnauthorized: false, ca: [shown.certificatePem] };
    await using server = await startTls(authority, (socket) => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${CN}`));
    }, options);
    await using bench = await openTo(server.port, authority, { clientCertificates: [{ host: { kind: 'exact', name: 'api.test' }, ...shown }] });
    expect((await askHttp2(bench.http2('api.test'), {})).body.toString()).toBe('me');
    expect(server.connections()).toBe(1);
  });

  test('which is verified as any other', async () => {
    await using counted = await openCounted({ upstream: ok, options: { upstreamCertificates: [] } });
    const { status, headers } = await askHttp2(counted.bench.http2('api.test'), {});
    expect([status, headers['x-decoy-blocked'], counted.connections()]).toEqual([502, 'upstream-tls', 1]);
  });
});

describe('32 requests at once to a new host', () => {
  test('share one connection where it speaks HTTP/2', async () => {
    await using counted = await openCounted({ http2Upstream: version });
    const session = counted.bench.http2('api.test');
    const bodies = await Promise.all(Array.from({ length: 32 }, async () => (await askHttp2(session, {})).body.toString()));
    expect([new Set(bodies), counted.connections()]).toEqual([new Set(['over 2']), 1]);
  });

  test('have one each where it speaks HTTP/1.1, all at the same time', async () => {
    const held: http.ServerResponse[] = [];
    await using counted = await openCounted({
      upstream: (_, response) => {
        // None is answered before all have come.
        if (held.push(response) === 32) for (const each of held) each.end('ok');
      },
    });
    const session = counted.bench.http2('api.test');
    const answers = await Promise.all(Array.from({ length: 32 }, () => askHttp2(session, {})));
    expect([answers.every(({ status }) => status === 200), counted.connections()]).toEqual([true, 32]);
  });

  test('are all told where it cannot be trusted, after one try', async () => {
    await using counted = await openCounted({ upstream: ok, options: { upstreamCertificates: [] } });
    const session = counted.bench.http2('api.test');
    const answers = await Promise.all(Array.from({ length: 32 }, () => askHttp2(session, {})));
    expect([new Set(answers.map(({ headers }) => headers['x-decoy-blocked'])), counted.connections()]).toEqual([new Set(['upstream-tls']), 1]);
  });
});

describe('a first connection that the upstream closes at once', () => {
  const openClosing = async () => {
    const authority = await createAuthority();
    const requests: string[] = [];
    const server = await startTls(authority, (socket, number) => {
      if (number === 1) return void socket.end();
      socket.on('data', (chunk: Buffer) => {
        requests.push(chunk.toString('latin1').split(' ')[0]!);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const bench = await openTo(server.port, authority);
    return {
      bench, requests,
      async [Symbol.asyncDispose]() {
        await bench[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  };

  test('is replaced for a request that is safe to send twice', async () => {
    await using closing = await openClosing();
    expect((await askHttp2(closing.bench.http2('api.test'), {})).status).toBe(200);
    expect(closing.requests).toEqual(['GET']);
  });

  test('is replaced for any other only where nothing of it was sent', async () => {
    await using closing = await openClosing();
    const session = closing.bench.http2('api.test');
    const { status } = await askHttp2(session, { ':method': 'POST' }, 'body');
    expect([[200, ['POST']], [502, []]]).toContainEqual([status, closing.requests]);
    expect((await askHttp2(session, { ':method': 'POST' }, 'body')).status).toBe(200);
  });
});

test('a host that changes from HTTP/2 to HTTP/1.1 and back is spoken to as it speaks', async () => {
  await using bench = await openBench({ http2Upstream: version });
  const port = portOf(bench.servers.https);
  const context = { SNICallback: (name: string, done: (error: Error | null, context?: tls.SecureContext) => void) => void Promise.resolve(bench.upstreamAuthority.leafContext(name)).then((leaf) => done(null, leaf), done) };
  const session = bench.http2('api.test');
  const spoken = async () => (await askHttp2(session, {})).body.toString();
  expect(await spoken()).toBe('over 2');
  await stop(bench.servers.https as https.Server);

  const old = https.createServer(context, (request, response) => void response.end(`over ${request.httpVersion}`));
  await once(old.listen(port, '127.0.0.1'), 'listening');
  expect([await spoken(), await spoken()]).toEqual(['over 1.1', 'over 1.1']);
  await stop(old);

  const back = http2.createSecureServer(context).on('stream', version);
  const sessions: http2.ServerHttp2Session[] = [];
  back.on('session', (opened) => void sessions.push(opened));
  await once(back.listen(port, '127.0.0.1'), 'listening');
  expect([await spoken(), await spoken()]).toEqual(['over 2', 'over 2']);
  expect(sessions).toHaveLength(1);
  sessions[0]!.destroy();
  back.close();
});

/** Stops listening, and closes what is open. */
async function stop(server: https.Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}

/** An upstream without ALPN that does as it likes with each connection. */
async function startTls(authority: Authority, serve: (socket: tls.TLSSocket, number: number) => void, options: tls.TlsOptions = {}) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = tls.createServer({
    ...options, SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  });
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on('error', () => undefined));
  });
  let secured = 0;
  server.on('secureConnection', (socket) => serve(socket.on('error', () => undefined), secured += 1));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: portOf(server), connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function openTo(port: number, authority: Authority, options: SetUp['options'] = {}) {
  return openBench({ names: [], options: { upstreamCertificates: [authority.certificatePem], resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: port }], ...options } });
}
