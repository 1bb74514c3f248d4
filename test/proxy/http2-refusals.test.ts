import { once } from 'node:events';
import { constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askHttp2, openBench, readAll, type Bench, type Http2Listener } from './open-bench.ts';
import { frame, headerBlock, opening, type Http2Fields } from './raw-http2.ts';

const answer: Http2Listener = (stream, headers) => {
  if (headers[':path'] === '/slow') return;
  stream.respond({ ':status': 200 });
  stream.end();
};
const fields = (path: string, ...more: Http2Fields): Http2Fields => [[':method', 'POST'], [':scheme', 'https'], [':authority', 'api.test'], [':path', path], ...more];
const [END_STREAM, END_HEADERS] = [0x1, 0x4];
const [DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [0, 1, 3, 4, 7, 8, 9];
const good = (id: number, path = '/good') => frame(HEADERS, END_STREAM | END_HEADERS, id, headerBlock(fields(path)));
const bad = (id: number) => frame(HEADERS, END_STREAM | END_HEADERS, id, headerBlock([[':method', 'GET']]));
const open = (id: number, ...more: Http2Fields) => frame(HEADERS, END_HEADERS, id, headerBlock(fields('/slow', ...more)));
/** Headers of more than the limit, in pieces as frames have to be. */
const tooLong = (id: number) => Buffer.concat([
  frame(HEADERS, END_STREAM, id, headerBlock(fields('/long'))),
  ...Array.from({ length: 3 }, (_, i) => frame(CONTINUATION, i === 2 ? END_HEADERS : 0, id, headerBlock([[`x-${i}`, 'x'.repeat(8_000)]]))),
]);
/** Until its own settings are acknowledged, a server has to put up with longer headers. */
const acknowledgement = frame(SETTINGS, 0x1, 0);
const code = (errorCode: number) => Buffer.from([0, 0, 0, errorCode]);

let bench: Bench;
beforeEach(async () => {
  bench = await openBench({ http2Upstream: answer, options: { limits: { headerBytes: 4096, idleMs: 60_000 } } });
});
afterEach(() => bench[Symbol.asyncDispose]());

async function send(...frames: Buffer[]): Promise<TLSSocket> {
  const socket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write(Buffer.concat([opening, ...frames]));
  return socket;
}

/** Settled once the bytes of a frame of this kind came for the stream. */
async function sees(socket: TLSSocket, kind: number, streamId: number): Promise<void> {
  let seen = Buffer.alloc(0);
  await new Promise<void>((resolve) => socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    for (let at = 0; at + 9 <= seen.length; at += 9 + seen.readUIntBE(at, 3)) if (seen[at + 3] === kind && seen.readUInt32BE(at + 5) === streamId) resolve();
  }));
}

const unread = { protocol: 'https', host: 'api.test', port: 443, method: null, path: null, decision: 'blocked', reason: 'bad-request', status: null };

describe('a request that nghttp2 refuses has an entry', () => {
  test.each([['malformed', bad], ['with too many headers', tooLong]])('%s: when the next one comes', async (_, refused) => {
    await send(acknowledgement, good(1), refused(3), good(5));
    const entries = await bench.entriesOf(3);
    expect(entries.filter(({ decision }) => decision === 'blocked')).toMatchObject([unread]);
    expect(entries[0]!.remedy).toBe('Send well-formed requests over HTTP/2, with a single :authority without a user, at most 1000 headers of at most 4096 bytes together, and at most 100 at once.');
    expect(entries.filter(({ path }) => path === '/good')).toHaveLength(2);
  });

  test.each<[string, (socket: TLSSocket) => unknown]>([
    ['when the client goes', (socket) => socket.end()],
    ['when the client breaks off', (socket) => socket.destroy()],
    ['when the client says that it goes', (socket) => socket.write(frame(GOAWAY, 0, 0, Buffer.concat([code(0), code(0)])))],
    ['when the client finds fault', (socket) => socket.write(frame(GOAWAY, 0, 0, Buffer.concat([code(0), code(1)])))],
    ['when the run is over', () => bench.proxy[Symbol.asyncDispose]()],
  ])('alone: %s', async (_, end) => {
    const socket = await send(bad(1));
    await sees(socket, RST_STREAM, 1);
    await end(socket);
    expect(await bench.entriesOf(1)).toMatchObject([unread]);
  });

  test('as does one that is reset behind its headers, under its own name', async () => {
    const socket = await send(open(1, ['content-length', '3']), frame(DATA, END_STREAM, 1, Buffer.from('four')));
    // Node 22 and newer end the connection instead, which has an entry of its own.
    const isReset = await Promise.race([sees(socket, RST_STREAM, 1).then(() => true), sees(socket, GOAWAY, 0).then(() => false)]);
    const entries = await bench.entriesOf(isReset ? 1 : 2);
    expect(entries.at(-1)).toMatchObject({ decision: 'blocked', reason: 'bad-request', ...(isReset ? { method: 'POST', path: '/slow' } : { method: null, path: null }) });
  });
});

test('in a row they share one, and a connection has at most 20', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => Buffer.concat([bad(6 * i + 1), bad(6 * i + 3), good(6 * i + 5)]));
  const socket = await send(...rows);
  await sees(socket, HEADERS, 6 * 29 + 5);
  socket.destroy();
  const entries = await bench.entriesOf(50);
  expect(entries.filter(({ decision }) => decision === 'blocked')).toHaveLength(20);
  expect(entries).toHaveLength(50);
});

describe('nothing is told', () => {
  test('of a client that begins with 3, as some do', async () => {
    const socket = await send(good(3), good(5));
    await sees(socket, HEADERS, 5);
    await bench.proxy[Symbol.asyncDispose]();
    expect((await bench.entriesOf(2)).map(({ decision }) => decision)).toEqual(['allowed', 'allowed']);
  });

  test('of a client that takes a request back', async () => {
    await send(open(1), frame(RST_STREAM, 0, 1, code(constants.NGHTTP2_CANCEL)), good(3));
    expect((await bench.entriesOf(2)).map(({ reason }) => reason)).not.toContain('bad-request');
  });

  test('of a connection that was idle', async () => {
    await using idle = await openBench({ http2Upstream: answer, options: { limits: { idleMs: 50 } } });
    const session = idle.http2('api.test');
    const closed = once(session, 'close');
    expect((await askHttp2(session, {})).status).toBe(200);
    await closed;
    expect(idle.entries.map(({ decision }) => decision)).toEqual(['allowed']);
  });

  test('of a connection whose answer takes long', async () => {
    await using idle = await openBench({ http2Upstream: answer, options: { limits: { idleMs: 50 } } });
    const session = idle.http2('api.test');
    const stream = session.request({ ':path': '/slow' });
    stream.on('error', () => undefined);
    // Asked twice whether it is still there.
    await once(session, 'ping');
    await once(session, 'ping');
    stream.close(constants.NGHTTP2_CANCEL);
    expect((await idle.entriesOf(1))[0]!.reason).not.toBe('bad-request');
  });
});

test('a connection whose client does not read its answer for long is not taken for one that is over', async () => {
  const bytes = 8 << 20;
  await using idle = await openBench({
    options: { limits: { idleMs: 50 } },
    http2Upstream: (stream, headers, ...rest) => {
      if (headers[':path'] !== '/large') return answer(stream, headers, ...rest);
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(bytes));
    },
  });
  const socket = idle.tls('api.test', { ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  socket.pause();
  const window = Buffer.from([0x3f, 0xff, 0xff, 0xff]);
  socket.write(Buffer.concat([opening, frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), window])), frame(WINDOW_UPDATE, 0, 0, window), good(1, '/large')]));
  // Meanwhile this one is asked several times whether it is still there.
  const other = idle.http2('api.test');
  other.request({ ':path': '/slow' }).on('error', () => undefined);
  for (let i = 0; i < 4; i++) await once(other, 'ping');
  let received = 0;
  socket.on('data', (chunk: Buffer) => { received += chunk.length; }).resume();
  await once(socket, 'close');
  expect(received).toBeGreaterThan(bytes);
  expect(idle.entries).toMatchObject([{ decision: 'allowed', status: 200, responseBytes: bytes }]);
});

/** Of these Node says nothing, and would keep the connection and its requests for ever. */
const fatal: [string, Buffer[]][] = [
  ['data for no stream', [frame(DATA, 0, 0, Buffer.from('x'))]],
  ['headers that cannot be decompressed', [frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.alloc(6, 0xff))]],
  ['a frame that is too large', [frame(DATA, 0, 1, Buffer.alloc(20_000))]],
  ['data behind the end of a request', [good(1, '/slow'), frame(DATA, 0, 1, Buffer.from('x'))]],
];

describe.each(fatal)('a connection that nghttp2 ends because of %s', (_, frames) => {
  test('has an entry when it has been idle, and is closed', async () => {
    await using idle = await openBench({ http2Upstream: answer, options: { limits: { idleMs: 50 } } });
    const socket = idle.tls('api.test', { ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    socket.write(Buffer.concat([opening, ...frames]));
    await readAll(socket);
    const entries = await idle.entriesOf(frames.length);
    expect(entries.filter(({ method }) => method === null)).toMatchObject([unread]);
    expect(entries).toHaveLength(frames.length);
  });

  test('has one when the run is over', async () => {
    const socket = await send(...frames);
    await sees(socket, GOAWAY, 0);
    await bench.proxy[Symbol.asyncDispose]();
    expect(bench.entries.filter(({ method }) => method === null)).toMatchObject([unread]);
  });
});
