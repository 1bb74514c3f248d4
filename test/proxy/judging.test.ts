import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../src/trust/authority.ts';
import { ask, openBench, portOf, readAll, startHttps } from './open-bench.ts';
import { renderProxyHeader } from './gateway-client.ts';

test('the socket is for its owner only', async () => {
  await using bench = await openBench();
  expect(statSync(bench.socketPath).mode & 0o777).toBe(0o600);
});

test('a destination no rule could allow is closed before a byte of it is read', async () => {
  await using bench = await openBench({ allow: ['api.test'] });
  expect(await readAll(bench.plain('evil.example', 443))).toHaveLength(0);
  expect((await bench.entriesOf(1))[0]).toMatchObject({ protocol: 'tls', host: 'evil.example', port: 443, decision: 'blocked', reason: 'host-not-allowed', status: null });
});

test.each([
  ['no header', Buffer.from('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n')],
  ['a header that never ends', renderProxyHeader({ host: 'api.test', port: 80 }).subarray(0, 20)],
])('a connection with %s is closed within its bound', async (_, bytes) => {
  await using bench = await openBench();
  const socket = connect(bench.socketPath);
  socket.write(bytes);
  expect(await readAll(socket)).toHaveLength(0);
}, 5_000);

describe('on TLS', () => {
  test('another SNI than the destination is refused with an alert', async () => {
    await using bench = await openBench({ names: ['api.test', 'other.test'] });
    const [error] = await once(bench.tls('api.test', { servername: 'other.test' }), 'error') as [NodeJS.ErrnoException];
    expect(error.code).toBe('ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    expect((await bench.entriesOf(1))[0]).toMatchObject({ protocol: 'tls', host: 'api.test', decision: 'blocked', reason: 'sni-mismatch' });
  });

  test.each([['other case', 'API.Test'], ['none', '']])('SNI: %s is accepted', async (_, servername) => {
    await using bench = await openBench();
    await once(bench.tls('api.test', { servername, checkServerIdentity: () => undefined }), 'secureConnect');
  });

  test('a client that does not trust the authority leaves an entry with the likely cause', async () => {
    await using bench = await openBench();
    await once(bench.tls('api.test', { ca: undefined }), 'error');
    const [entry] = await bench.entriesOf(1);
    expect(entry).toMatchObject({ protocol: 'tls', decision: 'failed', reason: 'tls-handshake' });
    expect(entry!.remedy).toContain('does not trust');
  });

  test('a ticket of one host does not resume towards another', async () => {
    await using bench = await openBench({ names: ['api.test', 'other.test'], upstream: (_, response) => void response.end() });
    const first = bench.tls('api.test');
    first.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    const [session] = await once(first, 'session') as [Buffer];
    first.resume();
    const again = bench.tls('api.test', { session });
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(true);
    const other = bench.tls('other.test', { session });
    await once(other, 'secureConnect');
    expect(other.isSessionReused()).toBe(false);
  });

  test('TLS 1.1 is refused', async () => {
    await using bench = await openBench();
    await once(bench.tls('api.test', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), 'error');
    expect((await bench.entriesOf(1))[0]).toMatchObject({ reason: 'tls-handshake' });
  });
});

describe('every request is held to the destination', () => {
  test.each([
    ['another Host', 'GET / HTTP/1.1\r\nHost: other.test\r\n\r\n', 421, 'host-mismatch'],
    ['another port in Host', 'GET / HTTP/1.1\r\nHost: api.test:8443\r\n\r\n', 421, 'host-mismatch'],
    ['userinfo in Host', 'GET / HTTP/1.1\r\nHost: x@api.test\r\n\r\n', 421, 'host-mismatch'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\n\r\n', 400, 'host-mismatch'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'host-mismatch'],
    ['a list in Host', 'GET / HTTP/1.1\r\nHost: api.test, other.test\r\n\r\n', 421, 'host-mismatch'],
    ['another host in the target', 'GET https://other.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n', 421, 'host-mismatch'],
    ['another scheme in the target', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n', 421, 'host-mismatch'],
    ['an unknown scheme in the target', 'GET st://x/y HTTP/1.1\r\nHost: api.test\r\n\r\n', 400, 'host-mismatch'],
    ['userinfo in the target', 'GET https://api.test@other.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n', 421, 'host-mismatch'],
    ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: api.test\r\n\r\n', 400, 'host-mismatch'],
    ['CONNECT', 'CONNECT other.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n', 501, 'unsupported-protocol'],
    ['a WebSocket without a key', 'GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 400, 'bad-request'],
    ['both framings', 'POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'bad-request'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd', 400, 'bad-request'],
    ['a coding besides chunked', 'POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501, 'bad-request'],
    ['chunked not last', 'POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n', 400, 'bad-request'],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: api.test\n\n', 400, 'bad-request'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : api.test\r\n\r\n', 400, 'bad-request'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: api.test\r\nX: a\r\n b\r\n\r\n', 400, 'bad-request'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 501, 'unsupported-protocol'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n', 400, 'bad-request'],
    ['a method the rule does not name', 'POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n', 403, 'method-not-allowed'],
    ['a path the rule does not name', 'GET /private HTTP/1.1\r\nHost: api.test\r\n\r\n', 403, 'path-not-allowed'],
  ])('%s', async (_, text, status, reason) => {
    let upstreamSaw = 0;
    await using bench = await openBench({ allow: ['GET api.test/**', 'GET other.test'].map((rule) => rule.replace('/**', reason === 'path-not-allowed' ? '/v1/**' : '')), names: ['api.test', 'other.test'], upstream: () => void upstreamSaw++ });
    const socket = bench.tls('api.test');
    // The second of a kept-alive connection is judged as the first is.
    socket.write(text);
    const [first] = await once(socket, 'data') as [Buffer];
    const [head, body] = first.toString().split('\r\n\r\n') as [string, string];
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain(`x-decoy-blocked: ${reason}`);
    if (body !== '') expect(JSON.parse(body)).toMatchObject({ reason, host: 'api.test' });
    expect((await bench.entriesOf(1))[0]).toMatchObject({ reason, status, decision: 'blocked' });
    expect(upstreamSaw).toBe(0);
    socket.destroy();
  });

  test('the second request of a kept-alive connection as the first', async () => {
    const hosts: (string | undefined)[] = [];
    await using bench = await openBench({
      names: ['api.test', 'other.test'],
      upstream: (request, response) => {
        hosts.push(request.headers.host);
        response.end('x');
      },
    });
    const agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
    expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
    const refused = await ask(agent, { headers: { host: 'other.test' } });
    expect(refused.status).toBe(421);
    expect(JSON.parse(refused.body.toString())).toMatchObject({ error: 'blocked by decoy', reason: 'host-mismatch', host: 'api.test' });
    expect((await ask(agent, { headers: { host: 'API.test.:443' } })).status).toBe(200);
    expect(hosts).toEqual(['api.test', 'api.test']);
  });

  test('a client that asked to continue and is refused is not taken to send its body', async () => {
    await using bench = await openBench({ allow: ['GET api.test'], upstream: (_, response) => void response.end() });
    const socket = bench.tls('api.test');
    socket.write('POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const text = (await readAll(socket)).toString();
    expect(text).toMatch(/^HTTP\/1.1 403 [^]*connection: close/);
  });

  test('garbage after a request that runs closes the connection and never mixes two answers', async () => {
    await using bench = await openBench({ upstream: (_, response) => void response.write('half') });
    const socket = bench.tls('api.test');
    socket.write('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await once(socket, 'data');
    socket.write('garbage\r\n\r\n');
    expect((await readAll(socket)).toString()).not.toContain('HTTP/1.1');
  });

  test('what is smuggled behind a refused body is not read as a request', async () => {
    let requests = 0;
    await using bench = await openBench({ allow: ['GET api.test'], upstream: (_, response) => void (requests++, response.end()) });
    const socket = bench.tls('api.test');
    socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${1 << 20}\r\n\r\nGET / HTTP/1.1\r\nHost: api.test\r\n\r\n`);
    const text = (await readAll(socket)).toString();
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(text).toContain('method-not-allowed');
    expect(requests).toBe(0);
  });

  test('a refusal quotes neither headers, nor body, nor query', async () => {
    await using bench = await openBench({ allow: ['GET api.test'] });
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', path: '/p?query-value', headers: { host: 'api.test', 'x-h': 'header-value' }, body: 'body-value' });
    const told = JSON.stringify([answer.rawHeaders, answer.body.toString(), bench.entries]);
    for (const value of ['query-value', 'header-value', 'body-value']) expect(told).not.toContain(value);
  });
});

describe('the upstream', () => {
  const get = async (setUp: Parameters<typeof openBench>[0], host: string) => {
    await using bench = await openBench(setUp);
    const answer = await ask(bench.agentTo(host), { headers: { host } });
    return { status: answer.status, body: JSON.parse(answer.body.toString()) as { reason: string; remedy: string }, entry: (await bench.entriesOf(1))[0]! };
  };

  test.each([
    ['127.0.0.1', '127.0.0.1'], ['169.254.169.254', '169.254.169.254'], ['10.0.0.1', '10.0.0.1'], ['localhost', 'localhost'],
  ])('%s is refused without a resolve entry', async (_, host) => {
    const { status, body, entry } = await get({ allow: [host], names: [] }, host);
    expect([status, body.reason, entry.decision]).toEqual([403, 'private-address', 'blocked']);
    expect(body.remedy).toContain('resolve');
  });

  test('an address of this host is refused though it is public', async () => {
    const { body } = await get({ allow: ['8.8.8.8'], names: [], options: { ownAddresses: ['8.8.8.8'] } }, '8.8.8.8');
    expect(body.reason).toBe('private-address');
  });

  test('a name that does not exist', async () => {
    const { status, body, entry } = await get({ allow: ['no-such-name.invalid'], names: [] }, 'no-such-name.invalid');
    expect([status, body.reason, entry.decision]).toEqual([502, 'name-does-not-resolve', 'failed']);
  });

  test('nothing listens', async () => {
    const { status, body } = await get({ options: { resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: 1 }] } }, 'api.test');
    expect([status, body.reason]).toEqual([502, 'upstream-unreachable']);
    expect(body.remedy).toContain('ECONNREFUSED');
  });

  test('the next address is tried where one refuses', async () => {
    await using upstream = { server: await startHttps(await createAuthority(), () => undefined), async [Symbol.asyncDispose]() { this.server.close(); } };
    const entry = { host: 'api.test', port: 443, address: '127.0.0.1' };
    const { body } = await get({ options: { resolve: [{ ...entry, addressPort: 1 }, { ...entry, addressPort: portOf(upstream.server) }] } }, 'api.test');
    // It was reached, and its certificate is not trusted.
    expect(body.reason).toBe('upstream-tls');
  });

  test('a certificate of an unknown authority, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const { status, body } = await get({ options: { upstreamCertificates: [] } }, 'api.test');
      expect([status, body.reason]).toEqual([502, 'upstream-tls']);
      expect(body.remedy).toMatch(/could not be verified.*NODE_EXTRA_CA_CERTS/);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  test('a certificate for another name', async () => {
    const authority = await createAuthority();
    const server = await startHttps({ ...authority, leafContext: () => authority.leafContext('other.test') }, () => undefined);
    const { body } = await get({
      options: {
        upstreamCertificates: [authority.certificatePem],
        resolve: [{ host: 'api.test', port: 443, address: '127.0.0.1', addressPort: portOf(server) }],
      },
    }, 'api.test');
    server.close();
    expect(body.reason).toBe('upstream-tls');
    expect(body.remedy).toContain('another name');
  });

  test('an IP literal is verified as an address', async () => {
    const authority = await createAuthority();
    const https = await import('node:https');
    const context = await authority.leafContext('192.0.2.1');
    const server = https.createServer({ SNICallback: (_, done) => done(null, context) }, (_, response) => void response.end('ip'));
    // Without SNI the server's own context is used.
    (server as unknown as { _sharedCreds: unknown })._sharedCreds = context;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using bench = await openBench({
      allow: ['192.0.2.1', '192.0.2.2'], names: [],
      options: {
        upstreamCertificates: [authority.certificatePem],
        resolve: ['192.0.2.1', '192.0.2.2'].map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
      },
    });
    expect((await ask(bench.agentTo('192.0.2.1'), { headers: { host: '192.0.2.1' } })).body.toString()).toBe('ip');
    expect((await ask(bench.agentTo('192.0.2.2'), { headers: { host: '192.0.2.2' } })).status).toBe(502);
    server.closeAllConnections();
    server.close();
  });
});


describe('the other of the two ports of HTTP, at a host that is open on one', () => {
  test('plain HTTP where only HTTPS is open is refused with an answer, and nothing else is sent', async () => {
    await using bench = await openBench({ allow: ['api.test:443'], upstream: () => { throw new Error('the upstream was asked'); } });
    const socket = bench.plain('api.test');
    socket.write('GET /x HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 403 [^]*port-not-allowed/);
    expect(await bench.entriesOf(1)).toMatchObject([{ protocol: 'http', port: 80, path: '/x', reason: 'port-not-allowed', status: 403 }]);
    socket.destroy();
  });

  test('HTTPS where only plain HTTP is open, too', async () => {
    await using bench = await openBench({ allow: ['api.test:80'], upstream: () => { throw new Error('the upstream was asked'); } });
    const socket = bench.tls('api.test');
    socket.write('GET /x HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 403 [^]*port-not-allowed/);
    socket.destroy();
  });

  test('a host that no rule knows, or knows for raw connections alone, gets none', async () => {
    await using bench = await openBench({ allow: ['tcp://api.test:5432'] });
    for (const socket of [bench.plain('api.test'), bench.plain('elsewhere.test')]) {
      socket.write('GET /x HTTP/1.1\r\nHost: api.test\r\n\r\n');
      expect(await readAll(socket)).toHaveLength(0);
    }
  });
});
