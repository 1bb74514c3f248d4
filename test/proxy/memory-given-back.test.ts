import { once } from 'node:events';
import type http from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createMemoryBudget } from '../../src/proxy/memory-budget.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { askHttp2, openBench, readAll, type Bench } from './open-bench.ts';
import { END_HEADERS, END_STREAM, frame, headerBlock, HEADERS, opening } from './raw-http2.ts';

const MiB = 2 ** 20;
const secrets = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'bound.test' }], hostTexts: ['bound.test'], value: 'sk-0123456789abcdefghijklmno' }]);
const limits = { memoryBytes: 64 * MiB };
/** Of 19 MiB each. */
const fitting = 3;
const whole = zlib.brotliCompressSync(Buffer.alloc(20 * MiB), { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } });
const cut = whole.subarray(0, -3);
const isCapacity = ({ reason }: { reason: string | null }) => reason === 'capacity';

const swallow: http.RequestListener = (request, response) => void request.resume().on('end', () => response.end('whole'));
const head = `POST / HTTP/1.1\r\nHost: api.test\r\nContent-Encoding: br\r\nContent-Length: ${whole.length}\r\n\r\n`;

/** Fills the budget over HTTP/1.1 and shows that it is full. */
async function fill(bench: Bench) {
  const answers = Array.from({ length: fitting + 1 }, () => {
    const socket = bench.tls('api.test');
    socket.on('error', () => undefined).write(Buffer.concat([Buffer.from(head), cut]));
    return socket;
  });
  const refused = await Promise.race(answers.map(async (socket) => {
    expect(String((await once(socket, 'data') as [Buffer])[0])).toMatch(/^HTTP\/1\.1 503 [^]*"reason":"capacity"/);
    return socket;
  }));
  return answers.filter((socket) => socket !== refused);
}

describe('the budget is given back', () => {
  test.each<[string, (sockets: Awaited<ReturnType<typeof fill>>, bench: Bench) => Promise<unknown>]>([
    ['bodies end', (sockets) => Promise.all(sockets.map(async (socket) => {
      socket.write(whole.subarray(-3));
      expect(String((await once(socket, 'data') as [Buffer])[0])).toMatch(/^HTTP\/1\.1 200/);
    }))],
    ['bodies turn out broken', (sockets) => Promise.all(sockets.map(async (socket) => {
      socket.write(Buffer.from([0xff, 0xff, 0xff]));
      expect(String((await once(socket, 'data') as [Buffer])[0])).toMatch(/^HTTP\/1\.1 403 [^]*"reason":"unscannable-body"/);
    }))],
    ['connections break off', async (sockets, bench) => {
      const done = bench.entries.length + sockets.length;
      for (const socket of sockets) socket.destroy();
      await bench.entriesOf(done);
    }],
  ])('when %s', async (_, end) => {
    await using bench = await openBench({ upstream: swallow, secrets, options: { limits } });
    for (let round = 0; round < 3; round += 1) await end(await fill(bench), bench);
  });

  test('when HTTP/2 streams are reset, by the client and by the server', async () => {
    const served = new Map<string, ServerHttp2Stream>();
    let wake = () => undefined as void;
    const servedAt = async (path: string) => {
      while (!served.has(path)) await new Promise<void>((resolve) => { wake = resolve; });
      return served.get(path)!;
    };
    await using bench = await openBench({ secrets, options: { limits }, http2Options: { allowHTTP1: true }, http2Upstream: (stream, headers) => {
      served.set(headers[':path']!, stream);
      wake();
    } });
    const session = bench.http2('api.test');
    for (let round = 0; round < 4; round += 1) {
      const entries = bench.entries.length;
      const streams = Array.from({ length: fitting + 1 }, (_, i) => session.request({ ':method': 'POST', ':path': `/${round}/${i}`, 'content-encoding': 'br' }, { endStream: false }));
      for (const stream of streams) stream.on('error', () => undefined).resume().write(cut);
      const [refused] = await Promise.race(streams.map(async (stream) => [stream, (await once(stream, 'response') as [{ ':status': number }])[0][':status']] as const));
      refused!.end();
      const kept = streams.filter((stream) => stream !== refused);
      const over = Promise.all(kept.map((stream) => once(stream, 'close')));
      for (const stream of kept) {
        const reset = round % 2 === 0 ? stream : await servedAt(stream.sentHeaders![':path'] as string);
        reset.close(8);
      }
      await over;
      expect((await bench.entriesOf(entries + fitting + 1)).slice(entries).filter(isCapacity)).toHaveLength(1);
    }
  });

  test('when the server answers before the body is whole', async () => {
    await using bench = await openBench({ secrets, options: { limits }, http2Options: { allowHTTP1: true }, http2Upstream: (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('early');
    } });
    const session = bench.http2('api.test');
    for (let i = 0; i < 3 * fitting; i += 1) {
      const stream = session.request({ ':method': 'POST', ':path': '/', 'content-encoding': 'br' }, { endStream: false });
      stream.on('error', () => undefined).write(cut);
      const closed = once(stream.resume(), 'close');
      expect((await once(stream, 'response') as [{ ':status': number }])[0][':status']).toBe(200);
      await closed;
    }
  });
});

describe('what nobody reads counts, and what is beyond is cut', () => {
  const little = { limits: { memoryBytes: 4 * MiB } };
  const large = Buffer.alloc(4 * MiB, 'x');

  test('answers', async () => {
    await using bench = await openBench({ options: little, upstream: (_, response) => void response.end(large) });
    const sockets = Array.from({ length: 20 }, () => bench.tls('api.test'));
    for (const socket of sockets) socket.on('error', () => undefined).pause().write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    // 48 KiB each, and 320 KiB while it waits.
    const cutOff = (await bench.entriesOf(20 - 11)).filter(isCapacity);
    expect(cutOff.length).toBeGreaterThanOrEqual(20 - 11);
    const bodies = await Promise.all(sockets.map((socket) => readAll(socket.resume())));
    expect(bodies.filter((body) => body.length > large.length).length).toBeGreaterThan(0);
    const again = bench.tls('api.test');
    again.write('GET / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    expect((await readAll(again)).length).toBeGreaterThan(large.length);
  });

  test('bodies that the server does not read', async () => {
    // More than the kernel's own buffers take on the way, some 10 MiB.
    const larger = Buffer.alloc(32 * MiB, 'x');
    await using bench = await openBench({ options: little, upstream: (request) => void request.pause() });
    const sockets = Array.from({ length: 30 }, () => bench.tls('api.test'));
    for (const socket of sockets) {
      socket.on('error', () => undefined).resume().write(`POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${larger.length}\r\n\r\n`);
      socket.write(larger);
    }
    expect((await bench.entriesOf(30 - 17)).every((entry) => isCapacity(entry) && entry.status === 503)).toBe(true);
  });

  test('headers of requests that have no answer', async () => {
    await using bench = await openBench({ options: little, upstream: () => undefined });
    const sockets = Array.from({ length: 50 }, () => bench.tls('api.test'));
    // 48 KiB each, and six times the headers.
    for (const socket of sockets) socket.on('error', () => undefined).resume().write(`GET / HTTP/1.1\r\nHost: api.test\r\nX-Long: ${'x'.repeat(12_000)}\r\n\r\n`);
    expect((await bench.entriesOf(50 - 34)).every((entry) => isCapacity(entry) && entry.status === 503)).toBe(true);
  });
});

test('a reservation grows while there is room, and is nobody\'s once it is released', () => {
  const budget = createMemoryBudget({ memoryBytes: 100 });
  const one = budget.reserve(60)!;
  expect([budget.reserve(41), one.grow(41), budget.heldBytes()]).toEqual([null, false, 60]);
  expect([one.grow(40), budget.heldBytes()]).toEqual([true, 100]);
  one.shrink(70);
  const other = budget.reserve(70)!;
  one.shrink(1_000);
  expect(budget.heldBytes()).toBe(70);
  one.release();
  expect([one.grow(0), one.grow(1), budget.heldBytes()]).toEqual([false, false, 70]);
  other.release();
  other.release();
  expect(budget.heldBytes()).toBe(0);
});

describe('headers that wait', () => {
  const list = Array.from({ length: 55 }, (_, i): [string, string] => [`x-${i}`, 'v'.repeat(1_000)]);
  const few = { memoryBytes: 8 * MiB };
  /** More than have room: each of them holds 48 KiB and three times its 56 KiB of headers. */
  const count = 60;

  test('of answers the client does not read, and goes away', async () => {
    await using bench = await openBench({
      http2Upstream: (stream) => {
        stream.respond({ ':status': 200, ...Object.fromEntries(list) });
        stream.end('x');
      },
      // A client that went away is noticed at last when nothing has happened for that long.
      options: { limits: { ...few, idleMs: 1_000 } },
    });
    const unread: TLSSocket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
    const request = headerBlock([[':method', 'GET'], [':scheme', 'https'], [':authority', 'api.test'], [':path', '/']]);
    unread.on('error', () => undefined).write(Buffer.concat([opening, ...Array.from({ length: count }, (_, i) => frame(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, request))]));
    const statusNow = async () => (await askHttp2(bench.http2('api.test'), {})).status;
    await expect.poll(statusNow, { timeout: 10_000 }).toBe(503);
    unread.destroy();
    await expect.poll(statusNow, { timeout: 10_000 }).toBe(200);
  }, 30_000);

  test('of requests whose answer is to come', async () => {
    await using bench = await openBench({ http2Upstream: (stream) => void stream.resume(), http2Options: { maxSessionMemory: 1_000 }, options: { limits: { memoryBytes: 4 * MiB } } });
    const session = bench.http2('api.test');
    // Without trailers all of them have room.
    for (let i = 0; i < 80; i += 1) {
      const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true } as object);
      stream.on('error', () => undefined).on('wantTrailers', () => stream.sendTrailers(Object.fromEntries(list.slice(0, 7)))).resume().end('x');
    }
    await expect.poll(() => bench.entries.filter(isCapacity).length, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(bench.entries.find(isCapacity)).toMatchObject({ decision: 'blocked', status: 503, method: 'POST' });
  }, 30_000);
});
