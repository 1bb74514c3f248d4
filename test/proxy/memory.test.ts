import { once } from 'node:events';
import type http from 'node:http';
import type { ClientHttp2Stream, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { defaultProxyLimits } from '../../src/proxy/limits.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { readAll } from './open-bench.ts';
import { openProxyProcess, type ProxyProcess } from './open-proxy-process.ts';
import { DATA, END_STREAM, frame, headerBlock, headerFrames, opening } from './raw-http2.ts';

const MiB = 2 ** 20;
/** Besides the budget: connections, JavaScript's heap, and what the allocator keeps. */
const besideBytes = 128 * MiB;
const mostGrown = defaultProxyLimits.memoryBytes + besideBytes;
const isCapacity = ({ reason }: AuditEntry) => reason === 'capacity';
const remedy = 'Have fewer bodies and messages under way at once: the proxy holds at most 256 MiB for a run; or raise memory in proxy-limits.';

const whole = zlib.brotliCompressSync(Buffer.alloc(20 * MiB), { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } });
/** 21 bytes that make a decoder keep 16 MiB. */
const cut = whole.subarray(0, -3);
const rest = whole.subarray(-3);
/** 19 MiB each, by LGWIN and the tables. */
const fitting = 13;

const swallow: http.RequestListener = (request, response) => void request.resume().on('end', () => response.end('whole'));

describe('bodies in br that are left unfinished', () => {
  const openStreams = async (proxy: ProxyProcess, count: number) => {
    const session = proxy.http2('api.test');
    await once(session, 'connect');
    return Array.from({ length: count }, () => {
      const stream = session.request({ ':method': 'POST', ':path': '/', 'content-encoding': 'br' }, { endStream: false });
      stream.on('error', () => undefined).resume().write(cut);
      return stream;
    });
  };
  const answered = async (stream: ClientHttp2Stream) => (await once(stream, 'response') as [{ ':status': number }])[0][':status'];

  test('80 over one HTTP/2 connection, and once more when they are gone', async () => {
    await using proxy = await openProxyProcess({ upstream: swallow });
    const before = proxy.residentBytes();
    for (const round of [1, 2]) {
      const streams = await openStreams(proxy, 80);
      const refused = new Set<ClientHttp2Stream>();
      for (const stream of streams) stream.once('response', (headers) => { if (headers[':status'] === 503) refused.add(stream); });
      const entries = await proxy.entriesOf(round * (80 - fitting), isCapacity);
      expect(entries.at(-1)).toMatchObject({ decision: 'blocked', status: 503, host: 'api.test', method: 'POST', remedy });
      expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
      // What was under way before goes on.
      const kept = streams.filter((stream) => !refused.has(stream));
      expect(kept).toHaveLength(fitting);
      const statuses = Promise.all(kept.map(answered));
      for (const stream of kept) stream.end(rest);
      expect(await statuses).toEqual(kept.map(() => 200));
      expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
    }
  });

  test('40 over HTTP/1.1, and once more when they were broken off', async () => {
    await using proxy = await openProxyProcess({ upstream: swallow });
    const before = proxy.residentBytes();
    for (const round of [1, 2]) {
      const sockets = Array.from({ length: 40 }, () => proxy.tls('api.test'));
      for (const socket of sockets) socket.resume().write(Buffer.concat([Buffer.from('POST / HTTP/1.1\r\nHost: api.test\r\nContent-Encoding: br\r\nContent-Length: 99\r\n\r\n'), cut]));
      expect((await proxy.entriesOf(round * (40 - fitting), isCapacity)).at(-1)).toMatchObject({ decision: 'blocked', status: 503, remedy });
      expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
      for (const socket of sockets) socket.destroy();
      await proxy.entriesOf(round * 40);
    }
    expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
  });

  test('and put into a pinned place, with a decoder and an encoder each', async () => {
    await using proxy = await openProxyProcess({ upstream: swallow });
    const before = proxy.residentBytes();
    const sockets = Array.from({ length: 30 }, () => proxy.tls('pinned.test'));
    for (const socket of sockets) socket.resume().write(Buffer.concat([Buffer.from('POST / HTTP/1.1\r\nHost: pinned.test\r\nContent-Encoding: br\r\nContent-Length: 99\r\n\r\n'), cut]));
    await proxy.entriesOf(30 - fitting, isCapacity);
    expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
  });
});

test('answers in br that stay unfinished: those beyond are refused or broken off, and again when they are gone', async () => {
  await using proxy = await openProxyProcess({ upstream: (_, response) => void response.writeHead(200, { 'content-encoding': 'br' }).write(cut) });
  const before = proxy.residentBytes();
  for (const round of [1, 2]) {
    const sockets = Array.from({ length: 60 }, () => proxy.tls('bound.test'));
    for (const socket of sockets) socket.resume().write('GET / HTTP/1.1\r\nHost: bound.test\r\n\r\n');
    const entries = await proxy.entriesOf(round * (60 - fitting), isCapacity);
    expect(entries.every(({ decision, remedy: told }) => decision === 'blocked' && told === remedy)).toBe(true);
    expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
    for (const socket of sockets) socket.destroy();
    await proxy.entriesOf(round * 60);
  }
});

describe('WebSocket messages of 15 MiB that are left unfinished', () => {
  const serve = (proxy: ProxyProcess, service: (socket: WebSocket) => void) => {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 32 * MiB, perMessageDeflate: true });
    proxy.server.on('upgrade', (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
      sockets.handleUpgrade(request, socket, head, (accepted) => service(accepted.on('error', () => undefined)));
    });
  };
  const connect = (proxy: ProxyProcess, perMessageDeflate: boolean) =>
    new WebSocket('ws://api.test/', { createConnection: (() => proxy.tls('api.test')) as never, perMessageDeflate }).on('error', () => undefined);
  const part = Buffer.alloc(15 * MiB);

  test.each([['plain, from the client', false, 'client'], ['compressed, from the client', true, 'client'], ['compressed, from the server', true, 'server']])('%s', async (_, isCompressed, from) => {
    await using proxy = await openProxyProcess();
    const send = (socket: WebSocket) => void socket.send(part, { fin: false, compress: isCompressed });
    let isAttack = true;
    serve(proxy, (socket) => {
      if (!isAttack) socket.on('message', (data) => socket.send(data));
      else if (from === 'server') send(socket);
    });
    const before = proxy.residentBytes();
    const sockets = Array.from({ length: 30 }, () => connect(proxy, isCompressed));
    const codes: number[] = [];
    for (const socket of sockets) {
      socket.once('open', () => { if (from === 'client') send(socket); });
      socket.once('close', (code) => codes.push(code));
    }
    const entries = await proxy.entriesOf(30 - Math.floor(256 / 15), isCapacity);
    expect(entries.every(({ decision, remedy: told }) => decision === 'blocked' && told === remedy)).toBe(true);
    expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
    // The client may be told a little after it was recorded.
    await expect.poll(() => codes, { timeout: 10_000 }).toContain(1013);
    for (const socket of sockets) socket.terminate();
    await proxy.entriesOf(30);

    isAttack = false;
    const again = connect(proxy, isCompressed);
    await once(again, 'open');
    again.send(part);
    const [echoed] = await once(again, 'message') as [Buffer];
    expect(echoed.equals(part)).toBe(true);
  });

  test('one that is gone while its message is inflated takes nothing else with it', async () => {
    await using proxy = await openProxyProcess();
    serve(proxy, (socket) => socket.on('message', (data) => socket.send(data)));
    for (let i = 0; i < 20; i += 1) {
      const socket = connect(proxy, true);
      await once(socket, 'open');
      await new Promise((sent) => socket.send(part, { compress: true }, sent));
      socket.terminate();
    }
    await proxy.entriesOf(20);
    const again = connect(proxy, true);
    await once(again, 'open');
    again.send('still here');
    expect(String((await once(again, 'message') as [Buffer])[0])).toBe('still here');
  });

  test('fragments that are small, in chunks that are not', async () => {
    await using proxy = await openProxyProcess({ limits: { memoryBytes: 16 * MiB } });
    serve(proxy, () => undefined);
    const before = proxy.residentBytes();
    const socket = connect(proxy, false);
    await once(socket, 'open');
    const over = once(socket, 'close');
    const raw = (socket as unknown as { _socket: Socket })._socket;
    const masked = (opcode: number, bytes: number) => Buffer.concat([Buffer.from([opcode, 0x80 | bytes, 0, 0, 0, 0]), Buffer.alloc(bytes)]);
    // A fragment of one byte keeps the whole chunk that it came in, the pongs behind it included.
    const pongs = Buffer.concat(Array.from({ length: 124 }, () => masked(0x8a, 125)));
    for (let i = 0; i < 4_000 && !raw.destroyed; i += 1) {
      await new Promise((done) => raw.write(Buffer.concat([masked(i === 0 ? 0x02 : 0x00, 1), pongs]), done));
    }
    expect((await over)[0]).toBe(1013);
    expect(proxy.residentBytes() - before).toBeLessThan(16 * MiB + besideBytes);
    expect(await proxy.entriesOf(1)).toMatchObject([{ reason: 'capacity', status: 101 }]);
  });
});

describe('what ordinary work has at once passes', () => {
  const text = Buffer.from(JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ name: `package-${i}`, version: `1.${i}.0` }))));
  const packed = { gzip: zlib.gzipSync(text), br: zlib.brotliCompressSync(text, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 5 } }) };

  test.each([[150, 'gzip'], [32, 'br']] as const)('%i answers in %s', async (count, coding) => {
    const body = packed[coding];
    const waiting: (() => void)[] = [];
    await using proxy = await openProxyProcess({
      upstream: (_, response) => {
        // The first half of all is there before the second of any.
        response.writeHead(200, { 'content-encoding': coding }).write(body.subarray(0, body.length >> 1));
        waiting.push(() => response.end(body.subarray(body.length >> 1)));
        if (waiting.length === count) for (const go of waiting) go();
      },
    });
    const answers = await Promise.all(Array.from({ length: count }, () => {
      const socket = proxy.tls('bound.test');
      socket.write(`GET / HTTP/1.1\r\nHost: bound.test\r\nAccept-Encoding: ${coding}\r\nConnection: close\r\n\r\n`);
      return readAll(socket);
    }));
    expect(answers.filter((answer) => !answer.includes('package-19999'))).toEqual([]);
  });

  test('400 requests in gzip', async () => {
    await using proxy = await openProxyProcess({ upstream: swallow });
    const answers = await Promise.all(Array.from({ length: 400 }, () => {
      const socket = proxy.tls('api.test');
      socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nContent-Encoding: gzip\r\nContent-Length: ${packed.gzip.length}\r\nConnection: close\r\n\r\n`);
      socket.write(packed.gzip);
      return readAll(socket);
    }));
    expect(answers.filter((answer) => !answer.toString().startsWith('HTTP/1.1 200'))).toEqual([]);
  });
});

describe('trailers of requests that have no answer', () => {
  const fields = (count: number, length: number) => headerBlock(Array.from({ length: count }, (_, i): [string, string] => [`x-${i}`, 'v'.repeat(length)]));
  const head = headerBlock([[':method', 'POST'], [':scheme', 'https'], [':authority', 'api.test'], [':path', '/']]);
  const request = (id: number, trailers: Buffer) => Buffer.concat([headerFrames(0, id, head), frame(DATA, 0, id, Buffer.from('x')), headerFrames(END_STREAM, id, trailers)]);
  const unanswered = { http2Upstream: (stream: ServerHttp2Stream) => void stream.on('error', () => undefined) };

  test.each<[string, Buffer]>([['a hundred long ones', fields(120, 950)], ['a thousand short ones', fields(1_000, 1)], ['two very long ones', fields(2, 60_000)]])('over HTTP/2, 95 on each of 20 connections: %s', async (_, trailers) => {
    await using proxy = await openProxyProcess(unanswered);
    const before = proxy.residentBytes();
    const sockets = Array.from({ length: 20 }, () => proxy.tls('api.test', { ALPNProtocols: ['h2'] }));
    for (const socket of sockets) {
      socket.resume().write(opening);
      for (let i = 0; i < 95; i += 1) socket.write(request(1 + 2 * i, trailers));
    }
    const entries = await proxy.entriesOf(20, isCapacity);
    expect(entries[0]).toMatchObject({ decision: 'blocked', status: null, host: 'api.test', method: 'POST', remedy: 'Send at most 8192 bytes of trailers.' });
    await expect.poll(() => sockets.filter((socket) => !socket.destroyed), { timeout: 5_000 }).toEqual([]);
    expect(proxy.residentBytes() - before).toBeLessThan(besideBytes);
  });

  test('over HTTP/2, more of them than there may be, are not read', async () => {
    await using proxy = await openProxyProcess(unanswered);
    const before = proxy.residentBytes();
    const trailers = fields(3_000, 1);
    for (let connection = 0; connection < 10; connection += 1) {
      proxy.tls('api.test', { ALPNProtocols: ['h2'] }).resume().write(Buffer.concat([opening, ...Array.from({ length: 95 }, (_, i) => request(1 + 2 * i, trailers))]));
    }
    expect(await proxy.entriesOf(950)).toEqual(Array(950).fill(expect.objectContaining({ decision: 'blocked', reason: 'bad-request' })));
    expect(proxy.residentBytes() - before).toBeLessThan(besideBytes);
  });

  test('over HTTP/2, as long as they may be, are held within the budget', async () => {
    await using proxy = await openProxyProcess(unanswered);
    const before = proxy.residentBytes();
    const longest = fields(120, 30);
    for (let connection = 0; connection < 40; connection += 1) {
      const socket = proxy.tls('api.test', { ALPNProtocols: ['h2'] });
      socket.resume().write(Buffer.concat([opening, ...Array.from({ length: 95 }, (_, i) => request(1 + 2 * i, longest))]));
    }
    await proxy.entriesOf(1, isCapacity);
    await wait(2_000);
    expect(proxy.residentBytes() - before).toBeLessThan(mostGrown);
  });

  test('over HTTP/1.1, thousands of short ones on each of 800 connections', async () => {
    await using proxy = await openProxyProcess({ upstream: swallowSilently });
    const before = proxy.residentBytes();
    const trailers = 'a:\r\n'.repeat(12_000);
    for (let i = 0; i < 800; i += 1) {
      proxy.tls('api.test').resume().write(`POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${trailers}\r\n`);
      if (i % 20 === 0) await wait(50);
    }
    // Node 24 refuses them.
    await expect.poll(() => swallowed + proxy.entries.length, { timeout: 30_000 }).toBe(800);
    expect(proxy.residentBytes() - before).toBeLessThan(1.5 * besideBytes);
  }, 60_000);
});

test('headers that go on and on over HTTP/2, thousands of short ones on each of 500 connections, are not held', async () => {
  await using proxy = await openProxyProcess();
  const names = Array.from({ length: 3_900 }, (_, i): [string, string] => [(i + 1_296).toString(36), i.toString(36)]);
  const unfinished = headerFrames(END_STREAM, 1, headerBlock([[':method', 'GET'], [':scheme', 'https'], [':authority', 'api.test'], [':path', '/'], ...names])).subarray(0, -1);
  const before = proxy.residentBytes();
  for (let i = 0; i < 500; i += 1) {
    const socket = proxy.tls('api.test', { ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    socket.resume().write(Buffer.concat([opening, unfinished]));
  }
  await wait(1_000);
  expect(proxy.residentBytes() - before).toBeLessThan(besideBytes);
}, 60_000);

let swallowed = 0;
const swallowSilently: http.RequestListener = (request) => void request.resume().on('end', () => { swallowed += 1; });
