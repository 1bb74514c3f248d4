import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2, { constants } from 'node:http2';
import { promisify } from 'node:util';
import { Agent, fetch } from 'undici';
import { describe, expect, test } from 'vitest';
import { openPort, openTls } from './gateway-client.ts';
import { resetsUsers } from './http2-requests.ts';
import { ask, askHttp2, collectHttp2, openBench, readAll, type Http2Listener } from './open-bench.ts';

const hello: Http2Listener = (stream) => {
  stream.respond({ ':status': 200 });
  stream.end('hello');
};

/** Answers with what it was asked. */
const echo: Http2Listener = (stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify({ ...headers, body: Buffer.concat(chunks).toString() }));
  });
};

describe('what is sent and answered', () => {
  test('a request over HTTP/2 goes on over HTTP/2 where the upstream speaks it', async () => {
    await using bench = await openBench({ http2Upstream: echo });
    const session = bench.http2('api.test');
    const answer = await askHttp2(session, { ':method': 'POST', ':path': '/a?b=c', 'x-one': ['1', '2'], cookie: ['a=1', 'b=2'], te: 'trailers' }, 'body');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body.toString())).toEqual({
      ':method': 'POST', ':path': '/a?b=c', ':scheme': 'https', ':authority': 'api.test', 'x-one': '1, 2', cookie: 'a=1; b=2', te: 'trailers', body: 'body',
    });
    const [entry] = await bench.entriesOf(1);
    expect(entry).toMatchObject({ protocol: 'https', method: 'POST', host: 'api.test', path: '/a', decision: 'allowed', status: 200, requestBytes: 4 });
  });

  test('and over HTTP/1.1 where it does not; that is asked once', async () => {
    const seen: { version: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
    await using bench = await openBench({
      upstream: async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        seen.push({ version: request.httpVersion, headers: request.headers, body: Buffer.concat(chunks).toString() });
        response.writeHead(200, 'Fine', { 'set-cookie': ['a=1', 'b=2'], connection: 'keep-alive', location: '/x', trailer: 'x-sum' });
        response.write('hello');
        response.addTrailers({ 'x-sum': '7' });
        response.end();
      },
    });
    let connections = 0;
    bench.servers.https.on('connection', () => { connections += 1; });
    const session = bench.http2('api.test');
    for (const body of [undefined, 'one', 'two', 'three']) {
      const answer = await askHttp2(session, { ':method': body === undefined ? 'GET' : 'POST', cookie: ['a=1', 'b=2'] }, body);
      expect([answer.status, answer.body.toString(), answer.trailers['x-sum']]).toEqual([200, 'hello', '7']);
      expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], location: '/x' });
      expect(answer.headers.connection).toBeUndefined();
    }
    expect(seen.map(({ version, body }) => [version, body])).toEqual([['1.1', ''], ['1.1', 'one'], ['1.1', 'two'], ['1.1', 'three']]);
    expect(seen[0]!.headers).toMatchObject({ host: 'api.test', cookie: 'a=1; b=2' });
    // The one on which it was learnt what is spoken.
    expect(connections).toBe(1);
  });

  test('a request over HTTP/1.1 goes on over HTTP/1.1, whatever the upstream could', async () => {
    await using bench = await openBench({ http2Upstream: hello, http2Options: { allowHTTP1: true } });
    bench.servers.https.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      if (request.httpVersion === '1.1') response.end(`over ${request.httpVersion}`);
    });
    expect((await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).body.toString()).toBe('over 1.1');
    expect((await askHttp2(bench.http2('api.test'), {})).body.toString()).toBe('hello');
  });

  test('statuses without a body, and HEAD', async () => {
    await using bench = await openBench({
      http2Upstream: (stream, headers) => {
        stream.respond({ ':status': Number(headers['x-status'] ?? 200), 'x-a': '1' });
        stream.end();
      },
    });
    const session = bench.http2('api.test');
    for (const status of [204, 304, 404]) {
      const answer = await askHttp2(session, { 'x-status': String(status) });
      expect([answer.status, answer.headers['x-a'], answer.body.length]).toEqual([status, '1', 0]);
    }
    expect(await askHttp2(session, { ':method': 'HEAD' })).toMatchObject({ status: 200 });
  });

  test('trailers pass in both directions, and headers that are the whole answer stay so', async () => {
    await using bench = await openBench({
      http2Upstream: (stream, headers) => {
        if (headers[':path'] === '/whole') return stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
        let received = {};
        stream.on('trailers', (trailers) => { received = trailers; });
        stream.resume().on('end', () => {
          stream.respond({ ':status': 200 }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': JSON.stringify(received) }));
          stream.end('body');
        });
      },
    });
    const session = bench.http2('api.test');
    const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true } as object);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-forth': 'there' }));
    stream.end('body');
    const answer = await collectHttp2(stream);
    expect([answer.body.toString(), answer.trailers]).toMatchObject(['body', { 'x-back': '{"x-forth":"there"}' }]);

    const whole = session.request({ ':path': '/whole' });
    const [headers, flags] = await once(whole, 'response') as [http.IncomingHttpHeaders, number];
    expect(headers['grpc-status']).toBe('5');
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).toBe(constants.NGHTTP2_FLAG_END_STREAM);
  });

  test('100 Continue is answered, other 1xx of the upstream are dropped', async () => {
    await using bench = await openBench({
      http2Upstream: (stream, headers) => {
        stream.additionalHeaders({ ':status': 103, link: '</a>' });
        echo(stream, headers, 0, []);
      },
    });
    const stream = bench.http2('api.test').request({ ':method': 'POST', expect: '100-continue' });
    stream.on('headers', (headers) => expect(headers[':status']).not.toBe(103));
    stream.once('continue', () => stream.end('asked for'));
    const answer = await collectHttp2(stream);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ body: 'asked for' });
    expect(JSON.parse(answer.body.toString())).not.toHaveProperty('expect');
  });

  test('hints at other protocols are removed, and an ALTSVC or ORIGIN frame goes nowhere', async () => {
    await using bench = await openBench({
      http2Upstream: (stream) => {
        (stream.session as http2.ServerHttp2Session).altsvc('h3=":443"', 'https://api.test');
        (stream.session as http2.ServerHttp2Session).altsvc('h3=":443"', stream.id!);
        (stream.session as unknown as { origin(name: string): void }).origin('https://evil.test');
        stream.respond({ ':status': 200, 'alt-svc': 'h3=":443"' });
        stream.end('hello');
      },
    });
    const session = bench.http2('api.test');
    session.on('altsvc', () => { throw new Error('an ALTSVC frame came through'); });
    session.on('origin', () => { throw new Error('an ORIGIN frame came through'); });
    const answer = await askHttp2(session, {});
    expect([answer.body.toString(), answer.headers['alt-svc']]).toEqual(['hello', undefined]);
    // What came before the pong has been read.
    await new Promise((pong) => session.ping(pong));
  });

  test('undici, offering both, speaks HTTP/2', async () => {
    await using bench = await openBench({ http2Upstream: echo });
    const agent = new Agent({
      allowH2: true,
      connect: (_, done) => {
        const socket = openTls({ socketPath: bench.socketPath, host: 'api.test', port: 443 }, { ca: bench.authority.certificatePem, ALPNProtocols: ['h2', 'http/1.1'] });
        socket.once('secureConnect', () => done(null, socket)).once('error', (error) => done(error, null));
      },
    });
    const response = await fetch('https://api.test/x', { dispatcher: agent, method: 'POST', body: 'from undici' });
    expect(await response.json()).toMatchObject({ ':path': '/x', body: 'from undici' });
    await agent.close();
  });

  test('curl speaks HTTP/2', async () => {
    await using bench = await openBench({ http2Upstream: echo });
    await using gateway = await openPort({ socketPath: bench.socketPath, host: 'api.test', port: 443 });
    const ca = `${bench.socketPath}.ca.pem`;
    await writeFile(ca, bench.authority.certificatePem);
    const { stdout } = await promisify(execFile)('curl', [
      '--silent', '--http2', '--cacert', ca, '--connect-to', `::127.0.0.1:${gateway.port}`, '--data', 'from curl', '--write-out', '\n%{http_version}', 'https://api.test/x',
    ]);
    expect(stdout).toMatch(/"body":"from curl"}\n2$/);
  });
});

describe('is refused', () => {
  test.each<[string, Record<string, string>, number, string]>([
    ['another :authority', { ':authority': 'other.test' }, 421, 'host-mismatch'],
    ['an :authority with another port', { ':authority': 'api.test:8443' }, 421, 'host-mismatch'],
    ...(resetsUsers ? [] : [['an :authority with a user', { ':authority': 'a@api.test' }, 421, 'host-mismatch'] satisfies [string, Record<string, string>, number, string]]),
    ['a Host that disagrees', { ':authority': 'api.test', host: 'other.test' }, 421, 'host-mismatch'],
    ['another :scheme', { ':scheme': 'http' }, 421, 'host-mismatch'],
    ['a path outside the rule', { ':path': '/admin' }, 403, 'path-not-allowed'],
    ['a path that climbs out of it', { ':path': '/v1/%2e%2e/admin' }, 403, 'path-not-allowed'],
    ['a path with a fragment', { ':path': '/v1/a#/admin' }, 400, 'host-mismatch'],
    ['another method', { ':method': 'DELETE' }, 403, 'method-not-allowed'],
    ['a header that makes it another method', { 'x-http-method-override': 'DELETE' }, 403, 'method-not-allowed'],
  ])('%s', async (_, headers, status, reason) => {
    let asked = 0;
    await using bench = await openBench({ allow: ['GET api.test/v1/**', 'other.test'], http2Upstream: (stream, ...rest) => { asked += 1; hello(stream, ...rest); } });
    const session = bench.http2('api.test');
    const answer = await askHttp2(session, { ':path': '/v1/a', ...headers });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([status, reason]);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ reason, host: 'api.test' });
    const [entry] = await bench.entriesOf(1);
    expect(entry).toMatchObject({ decision: 'blocked', reason, status });
    // The session is as good as before.
    expect((await askHttp2(session, { ':path': '/v1/a' })).body.toString()).toBe('hello');
    expect(asked).toBe(1);
  });

  test('CONNECT', async () => {
    await using bench = await openBench({ http2Upstream: hello });
    const session = bench.http2('api.test');
    const answer = await askHttp2(session, { ':method': 'CONNECT', ':authority': 'api.test:22' });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([501, 'unsupported-protocol']);
    expect(session.remoteSettings.enableConnectProtocol ?? false).toBe(false);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ method: 'CONNECT', decision: 'blocked', reason: 'unsupported-protocol' });
  });

  test('each stream of a session is judged for itself', async () => {
    await using bench = await openBench({ allow: ['api.test/v1/**'], http2Upstream: hello });
    const session = bench.http2('api.test');
    const statuses = await Promise.all(['/v1/a', '/admin', '/v1/b', '/'].map(async (path) => (await askHttp2(session, { ':path': path })).status));
    expect(statuses).toEqual([200, 403, 200, 403]);
  });

  test('what is no HTTP/2 although it was agreed on is told once', async () => {
    await using bench = await openBench({ http2Upstream: hello });
    const socket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
    socket.write('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await readAll(socket);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ protocol: 'https', method: null, decision: 'blocked', reason: 'bad-request' });
    expect(bench.entries).toHaveLength(1);
  });

  test('HTTP/2 without TLS, and over TLS without ALPN', async () => {
    await using bench = await openBench({ allow: ['api.test', 'api.test:80'] });
    for (const socket of [bench.plain('api.test'), bench.tls('api.test')]) {
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 501 [^]*"reason":"unsupported-protocol"/);
    }
    expect(await bench.entriesOf(2)).toMatchObject([{ protocol: 'http', reason: 'unsupported-protocol' }, { protocol: 'https', reason: 'unsupported-protocol' }]);
  });

  test('an offer to go on in HTTP/2 is not taken, and not passed on', async () => {
    const seen: http.IncomingHttpHeaders[] = [];
    await using bench = await openBench({ allow: ['api.test:80'], upstream: (request, response) => { seen.push(request.headers); response.end('ok'); } });
    const socket = bench.plain('api.test');
    socket.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n');
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 200 /);
    expect(seen[0]).not.toHaveProperty('upgrade');
    expect(seen[0]).not.toHaveProperty('http2-settings');
  });
});
