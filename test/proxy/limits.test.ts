import { once } from 'node:events';
import type http from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { ProxyLimits } from '../../src/proxy/limits.ts';
import { createRateLimit } from '../../src/proxy/rate-limit.ts';
import { ask, askHttp2, openBench, readAll, type Http2Listener } from './open-bench.ts';

const ok: http.RequestListener = (_, response) => void response.end('ok');
const openLimited = (limits: Partial<ProxyLimits>, upstream = ok) => openBench({ upstream, options: { limits } });

describe('each limit bites over HTTP/1.1', () => {
  test('header-bytes', async () => {
    await using bench = await openLimited({ headerBytes: 4096 });
    const get = (bytes: number) => ask(bench.agentTo('api.test'), { headers: { host: 'api.test', 'x-long': 'x'.repeat(bytes) } });
    expect((await get(3000)).status).toBe(200);
    const { status, headers, body } = await get(5000);
    expect([status, headers['x-decoy-blocked']]).toEqual([431, 'capacity']);
    expect(body.toString()).toContain('Send at most 4096 bytes of headers, or raise header-bytes in proxy-limits.');
  });

  test('idle', { timeout: 20_000 }, async () => {
    await using bench = await openLimited({ idleMs: 100 });
    const socket = bench.tls('api.test');
    socket.write('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 200[^]*ok/);
  });

  test('connections', async () => {
    await using bench = await openLimited({ connections: 2 });
    const kept: TLSSocket[] = [];
    for (let i = 0; i < 2; i++) await once(kept[i] = bench.tls('api.test'), 'secureConnect');
    expect(await readAll(bench.tls('api.test'))).toHaveLength(0);
    expect(await bench.entriesOf(1)).toMatchObject([{ protocol: 'tcp', decision: 'blocked', reason: 'capacity', remedy: 'Keep at most 2 connections open at once, or raise connections in proxy-limits.' }]);
  });

  test('requests-running', async () => {
    const held: http.ServerResponse[] = [];
    let wake = () => {};
    await using bench = await openLimited({ requestsRunning: 2 }, (_, response) => {
      held.push(response);
      wake();
    });
    const answers = [1, 2].map(() => ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } }));
    while (held.length < 2) await new Promise<void>((done) => { wake = done; });
    await expect(ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).rejects.toThrow();
    expect(await bench.entriesOf(1)).toMatchObject([{ method: 'GET', decision: 'blocked', reason: 'capacity', remedy: 'Wait for answers: a run may have 2 requests under way at once, or raise requests-running in proxy-limits.' }]);
    held.forEach((response) => response.end('late'));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('requests-per-minute, whatever the connection; what is blocked anyway does not count', async () => {
    let reached = 0;
    await using bench = await openBench({ allow: ['GET api.test'], upstream: (request, response) => { reached += 1; ok(request, response); }, options: { limits: { requestsPerMinute: 2 } } });
    const agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
    const statusOf = async (method: string, to = agent) => (await ask(to, { method, headers: { host: 'api.test' } })).status;
    expect([await statusOf('DELETE'), await statusOf('GET'), await statusOf('GET', bench.agentTo('api.test'))]).toEqual([403, 200, 200]);
    const { status, headers, body } = await ask(agent, { headers: { host: 'api.test' } });
    expect([status, headers['x-decoy-blocked'], reached]).toEqual([429, 'capacity', 2]);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(body.toString()).toContain('Send at most 2 requests a minute, or raise requests-per-minute in proxy-limits.');
    // Nobody is punished further: the connection goes on, and a blocked request is told its own reason.
    expect(await statusOf('DELETE')).toBe(403);
  });
});

describe('each limit bites over HTTP/2', () => {
  const okHttp2: Http2Listener = (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('ok');
  };
  const openLimitedHttp2 = (limits: Partial<ProxyLimits>, http2Upstream = okHttp2) => openBench({ http2Upstream, http2Options: { settings: { maxHeaderListSize: 1 << 20 }, maxHeaderListPairs: 1000 }, options: { limits } });
  // Node's own client sends no more than 64 KiB unless told otherwise.
  const sendsAll = { maxSendHeaderBlockLength: 4 << 20 };
  const headers = (bytes: number) => Object.fromEntries(Array.from({ length: bytes / 1000 }, (_, i) => [`x-${i}`, 'x'.repeat(1000 - 32 - `x-${i}`.length)]));

  test.each([[4096, 3_000, 5_000], [64 << 10, 65_000, 67_000], [128 << 10, 130_000, 133_000]])('header-bytes of %i: %i pass, %i do not', async (headerBytes, less, more) => {
    await using bench = await openLimitedHttp2({ headerBytes });
    const session = bench.http2('api.test', sendsAll);
    expect((await askHttp2(session, headers(less))).status).toBe(200);
    const refused = await askHttp2(session, headers(more));
    expect([refused.status, refused.headers['x-decoy-blocked']]).toEqual([431, 'capacity']);
    expect(refused.body.toString()).toContain(`Send at most ${headerBytes} bytes of headers, or raise header-bytes in proxy-limits.`);
    expect((await bench.entriesOf(2))[1]).toMatchObject({ method: 'GET', path: null, decision: 'blocked', reason: 'capacity', status: 431 });
    // No request is judged, and none sent on, that is longer still.
    await expect(askHttp2(session, headers(3 * headerBytes))).rejects.toMatchObject({ rstCode: expect.any(Number) });
    expect((await askHttp2(bench.http2('api.test'), {})).status).toBe(200);
    expect(bench.entries.map(({ decision }) => decision).filter((decision) => decision === 'allowed')).toHaveLength(2);
  });

  test('idle, which is no time for an answer', { timeout: 20_000 }, async () => {
    const held: ServerHttp2Stream[] = [];
    await using bench = await openLimitedHttp2({ idleMs: 100 }, (stream, headers, ...rest) => {
      if (headers[':path'] === '/slow') held.push(stream);
      else okHttp2(stream, headers, ...rest);
    });
    const slow = bench.http2('api.test');
    const answer = askHttp2(slow, { ':path': '/slow' });
    const slowClosed = once(slow, 'close');
    // Another session goes through its idle time meanwhile.
    const other = bench.http2('api.test');
    const otherClosed = once(other, 'close');
    expect((await askHttp2(other, {})).status).toBe(200);
    await otherClosed;
    held[0]!.respond({ ':status': 200 });
    held[0]!.end('late');
    expect((await answer).body.toString()).toBe('late');
    await slowClosed;
  });

  test('connections', async () => {
    await using bench = await openLimitedHttp2({ connections: 1 });
    expect((await askHttp2(bench.http2('api.test'), {})).status).toBe(200);
    await expect(askHttp2(bench.http2('api.test'), {})).rejects.toThrow();
    expect((await bench.entriesOf(2))[1]).toMatchObject({ protocol: 'tcp', decision: 'blocked', reason: 'capacity' });
  });

  test('requests-running, those over HTTP/1.1 included', async () => {
    const held: ServerHttp2Stream[] = [];
    let wake = () => {};
    await using bench = await openLimitedHttp2({ requestsRunning: 2 }, (stream) => {
      held.push(stream);
      wake();
    });
    const session = bench.http2('api.test');
    const answers = [1, 2].map(() => askHttp2(session, {}));
    while (held.length < 2) await new Promise<void>((done) => { wake = done; });
    await expect(askHttp2(session, {})).rejects.toMatchObject({ rstCode: constants.NGHTTP2_REFUSED_STREAM });
    await expect(ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).rejects.toThrow();
    const remedy = 'Wait for answers: a run may have 2 requests under way at once, or raise requests-running in proxy-limits.';
    expect(await bench.entriesOf(2)).toMatchObject([1, 2].map(() => ({ method: 'GET', decision: 'blocked', reason: 'capacity', remedy })));
    for (const stream of held) {
      stream.respond({ ':status': 200 });
      stream.end('late');
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('requests-per-minute, those over HTTP/1.1 included', async () => {
    await using bench = await openBench({ allow: ['GET api.test'], http2Upstream: okHttp2, http2Options: { allowHTTP1: true }, options: { limits: { requestsPerMinute: 2 } } });
    const session = bench.http2('api.test');
    expect((await askHttp2(session, { ':method': 'DELETE' })).status).toBe(403);
    for (let i = 0; i < 2; i++) expect((await askHttp2(session, {})).status).toBe(200);
    const { status, headers: refusal } = await askHttp2(session, {});
    expect([status, refusal['x-decoy-blocked']]).toEqual([429, 'capacity']);
    expect(Number(refusal['retry-after'])).toBeGreaterThan(0);
    expect((await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).status).toBe(429);
  });
});

test('no minute has more requests than allowed, wherever it begins', () => {
  let now = 0;
  const limit = createRateLimit(2, () => now);
  const takeAt = (seconds: number) => {
    now = seconds * 1000;
    return limit.take();
  };
  expect([takeAt(0), takeAt(30), takeAt(30.5), takeAt(59), takeAt(60), takeAt(60.1), takeAt(89.9), takeAt(90), takeAt(91)]).toEqual([null, null, 30, 1, null, 30, 1, null, 29]);
  const none = createRateLimit(null);
  for (let i = 0; i < 10_000; i++) expect(none.take()).toBeNull();
});
