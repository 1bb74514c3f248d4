import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http2, { constants } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { askHttp2, collectHttp2, openBench, readAll, type Http2Listener } from './open-bench.ts';
import { DATA, END_HEADERS, END_STREAM, frame, headerBlock, HEADERS, RST_STREAM, type Http2Fields } from './raw-http2.ts';
import { startRawHttp2Upstream, type RawHttp2Listener } from './raw-http2-upstream.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const secrets = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]);
const hello: Http2Listener = (stream) => {
  stream.respond({ ':status': 200 });
  stream.end('hello');
};
const chunk = Buffer.alloc(1 << 16, 'some bytes ');
const chunks = 800;

/** Writes 50 MB as fast as it is taken. */
async function pour(sink: NodeJS.WritableStream): Promise<void> {
  for (let i = 0; i < chunks; i++) if (!sink.write(chunk)) await once(sink, 'drain');
  sink.end();
}

const expected = (() => {
  const hash = createHash('sha1');
  for (let i = 0; i < chunks; i++) hash.update(chunk);
  return hash.digest('hex');
})();

async function hashOf(source: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha1');
  for await (const part of source) hash.update(part as Buffer);
  return hash.digest('hex');
}

describe.each([['without secrets', []], ['scanned and scrubbed', secrets]] as const)('50 MB %s', (_, bound) => {
  const setUp = { secrets: [...bound], ...(bound.length > 0 ? { allow: [] } : {}) };

  test.each(['HTTP/2', 'HTTP/1.1'])('down and up, to an upstream over %s, arrive whole', async (version) => {
    await using bench = await openBench({
      ...setUp,
      ...(version === 'HTTP/2'
        ? {
          http2Upstream: async (stream, headers) => {
            if (headers[':method'] === 'GET') {
              // Unread, Node 20 may reset the stream with NO_ERROR in the place of its end.
              stream.resume().respond({ ':status': 200 });
              return pour(stream);
            }
            const hash = await hashOf(stream);
            stream.respond({ ':status': 200 });
            stream.end(hash);
          },
        }
        : {
          upstream: async (request, response) => {
            if (request.method === 'GET') return pour(response);
            response.end(await hashOf(request));
          },
        }),
    });
    const session = bench.http2('api.test');
    expect(await hashOf(session.request({}))).toBe(expected);
    const up = session.request({ ':method': 'POST' });
    const answered = collectHttp2(up);
    await pour(up);
    expect((await answered).body.toString()).toBe(expected);
    expect((await bench.entriesOf(2)).map((entry) => [entry.requestBytes, entry.responseBytes])).toEqual([[0, chunks * chunk.length], [chunks * chunk.length, 40]]);
  });

  test('a reader that stops stops the sender: what is in flight stays small', async () => {
    let poured = 0;
    let stalled = () => {};
    const stall = new Promise<void>((resolve) => { stalled = resolve; });
    await using bench = await openBench({
      ...setUp,
      http2Upstream: (stream) => {
        stream.respond({ ':status': 200 });
        const pourOn = () => {
          while (poured < chunks * chunk.length) {
            poured += chunk.length;
            if (!stream.write(chunk)) {
              stream.once('drain', pourOn);
              return;
            }
          }
        };
        pourOn();
        // Other streams of the session go on: when they have answered many times, this one has long stalled.
        stalled();
      },
    });
    const session = bench.http2('api.test');
    const stream = session.request({});
    await once(stream, 'response');
    await stall;
    // Unread, the answer cannot arrive; what is poured before it stalls has done so by the time of a few hundred round trips.
    for (let i = 0; i < 200; i++) await new Promise((pong) => session.ping(pong));
    expect(poured).toBeLessThan(8 << 20);
    stream.on('error', () => undefined).close();
  });
});

test('headers and messages flow both ways while the request is open', async () => {
  await using bench = await openBench({
    secrets, allow: [],
    http2Upstream: (stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', (bytes: Buffer) => stream.write(`got ${bytes}`)).on('end', () => stream.end());
    },
  });
  const stream = bench.http2('api.test').request({ ':method': 'POST' });
  await once(stream, 'response');
  // Finished lines: any other end may be the beginning of a form of a secret, and would wait.
  for (const word of ['one\n', 'two\n', 'three\n']) {
    stream.write(word);
    expect(String((await once(stream, 'data'))[0])).toBe(`got ${word}`);
  }
  stream.end();
  await once(stream, 'close');
  expect(stream.rstCode).toBe(0);
});

test('200 streams at once share few connections to the upstream, and each gets its own answer', async () => {
  await using bench = await openBench({
    http2Options: { settings: { maxConcurrentStreams: 40 } },
    http2Upstream: (stream, headers) => {
      stream.respond({ ':status': 200 });
      setImmediate(() => stream.end(headers[':path']));
    },
  });
  let connections = 0;
  bench.servers.https.on('secureConnection', () => { connections += 1; });
  const session = bench.http2('api.test');
  await once(session, 'remoteSettings');
  expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
  const bodies = await Promise.all(Array.from({ length: 200 }, async (_, i) => (await askHttp2(session, { ':path': `/${i}` })).body.toString()));
  expect(bodies).toEqual(Array.from({ length: 200 }, (_, i) => `/${i}`));
  expect(connections).toBeLessThanOrEqual(8);
});

describe('what breaks off', () => {
  test.each([true, false])('a client that resets its stream (answered: %s) ends the upstream\'s, and the session goes on', async (isAnswered) => {
    let opened: (stream: http2.ServerHttp2Stream) => void = () => {};
    const upstream = new Promise<http2.ServerHttp2Stream>((resolve) => { opened = resolve; });
    await using bench = await openBench({
      http2Upstream: (stream, headers, ...rest) => {
        if (headers[':path'] !== '/slow') return hello(stream, headers, ...rest);
        if (isAnswered) stream.respond({ ':status': 200 });
        opened(stream);
      },
    });
    const session = bench.http2('api.test');
    const stream = session.request({ ':method': 'POST', ':path': '/slow' });
    stream.on('error', () => undefined);
    stream.write('part of a body');
    if (isAnswered) await once(stream, 'response');
    const far = await upstream;
    const closed = once(far, 'close');
    stream.close(constants.NGHTTP2_CANCEL);
    await closed;
    expect(far.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect((await askHttp2(session, {})).status).toBe(200);
  });

  test.each([constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR])('a client that resets its stream with %i never makes a part of a body look whole, over HTTP/1.1 neither', async (code) => {
    let over: (isComplete: boolean) => void = () => {};
    const told = new Promise<boolean>((resolve) => { over = resolve; });
    await using bench = await openBench({
      upstream: (request) => {
        request.on('error', () => undefined).on('close', () => over(request.complete)).resume();
        request.once('data', () => stream.close(code));
      },
    });
    // Without waiting for trailers Node's client would end the body before it resets the stream.
    const stream = bench.http2('api.test').request({ ':method': 'POST' }, { waitForTrailers: true } as object);
    stream.on('error', () => undefined);
    stream.write('part of a body');
    expect(await told).toBe(false);
  });

  test.each<[string, number, number, boolean]>([
    ['before it answered', constants.NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_ENHANCE_YOUR_CALM, false],
    ['in its answer', constants.NGHTTP2_ENHANCE_YOUR_CALM, constants.NGHTTP2_ENHANCE_YOUR_CALM, true],
    ['before it did anything', constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_REFUSED_STREAM, false],
    // RFC 9113, 8.1: an answer is whole with END_STREAM alone.
    ['in its answer, without an error', constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_INTERNAL_ERROR, true],
  ])('an upstream that resets the stream %s: the client is told the same', async (_, code, told, isAnswered) => {
    await using bench = await openBench({
      http2Upstream: (stream) => {
        if (!isAnswered) return stream.close(code);
        // Without waiting for trailers Node's server would end the answer before it resets the stream.
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.write('part', () => stream.close(code));
      },
    });
    await expect(askHttp2(bench.http2('api.test'), { ':method': 'POST' }, 'x')).rejects.toMatchObject({ rstCode: told });
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'upstream-unreachable' });
  });

  /** An upstream's answer of these frames, in one piece. */
  const answerOf = (frames: (stream: number) => Buffer[], headers: Http2Fields = []): RawHttp2Listener => ({ socket, stream }) => {
    socket.write(Buffer.concat([frame(HEADERS, END_HEADERS, stream, headerBlock([[':status', '200'], ...headers])), ...frames(stream)]));
  };
  const withoutError = (stream: number) => frame(RST_STREAM, 0, stream, Buffer.alloc(4));

  test.each<[string, string, Http2Fields]>([['nothing', '', []], ['a part of a body', 'part', []], ['less than its length', 'part', [['content-length', '5']]], ['the beginning of a value', value.slice(0, -1), []]])(
    'headers and %s are no whole answer where a reset without an error follows', async (_, part, headers) => {
      using upstream = await startRawHttp2Upstream(['api.test'], answerOf((stream) => [...(part === '' ? [] : [frame(DATA, 0, stream, Buffer.from(part))]), withoutError(stream)], headers));
      for (const bound of [[], [...secrets]]) {
        await using bench = await openBench({ options: upstream.options, secrets: bound });
        const stream = bench.http2('api.test').request({}).on('error', () => undefined);
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
        await new Promise((resolve) => stream.once('close', resolve));
        expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
        if (bound.length > 0) expect(String(Buffer.concat(chunks))).toBe('');
        expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'upstream-unreachable' });
      }
    });

  test('a stream that is reset without an error before it has an answer gets one that says so', async () => {
    using upstream = await startRawHttp2Upstream(['api.test'], ({ socket, stream }) => socket.write(withoutError(stream)));
    await using bench = await openBench({ options: upstream.options });
    expect((await askHttp2(bench.http2('api.test'), {})).status).toBe(502);
  });

  test.each<[string, (stream: number) => Buffer[], Http2Fields?]>([
    ['all of its length', (stream) => [frame(DATA, 0, stream, Buffer.from('whole'))], [['content-length', '5']]],
    ['its data', (stream) => [frame(DATA, END_STREAM, stream, Buffer.from('whole'))]],
    ['an empty frame', (stream) => [frame(DATA, 0, stream, Buffer.from('whole')), frame(DATA, END_STREAM, stream)]],
    ['trailers', (stream) => [frame(DATA, 0, stream, Buffer.from('whole')), frame(HEADERS, END_HEADERS | END_STREAM, stream, headerBlock([['x-end', '1']]))]],
  ])('an answer that ends with %s is whole although a reset without an error follows', async (_, frames, headers) => {
    using upstream = await startRawHttp2Upstream(['api.test'], answerOf((stream) => [...frames(stream), withoutError(stream)], headers));
    await using bench = await openBench({ options: upstream.options });
    const session = bench.http2('api.test');
    const sending = session.request({ ':method': 'POST' }).on('error', () => undefined);
    sending.write('and never all of it');
    expect(String((await collectHttp2(sending)).body)).toBe('whole');
    expect(String((await askHttp2(session, {})).body)).toBe('whole');
  });

  test('a refused stream without a body is sent again, once', async () => {
    let asked = 0;
    await using bench = await openBench({
      http2Upstream: (stream, ...rest) => {
        asked += 1;
        if (asked === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else hello(stream, ...rest);
      },
    });
    expect((await askHttp2(bench.http2('api.test'), { ':method': 'DELETE' })).status).toBe(200);
    expect(asked).toBe(2);
  });

  test('after GOAWAY the next request takes another connection, and those that run end well', async () => {
    const finish: (() => void)[] = [];
    await using bench = await openBench({
      http2Upstream: (stream, headers, ...rest) => {
        if (headers[':path'] !== '/slow') return hello(stream, headers, ...rest);
        stream.respond({ ':status': 200 });
        finish.push(() => stream.end('slow'));
        stream.session!.close();
      },
    });
    let connections = 0;
    bench.servers.https.on('secureConnection', () => { connections += 1; });
    const session = bench.http2('api.test');
    const slow = session.request({ ':path': '/slow' });
    const slowAnswer = collectHttp2(slow);
    await once(slow, 'response');
    for (let i = 0; i < 5; i++) expect((await askHttp2(session, {})).status).toBe(200);
    finish[0]!();
    expect((await slowAnswer).body.toString()).toBe('slow');
    expect(connections).toBe(2);
  });

  test('a connection that died while it was idle is not used again', async () => {
    await using bench = await openBench({ http2Upstream: hello });
    const session = bench.http2('api.test');
    for (let i = 0; i < 3; i++) {
      expect((await askHttp2(session, {})).status).toBe(200);
      const closed = [...(bench.servers.https as unknown as { sessions: Set<http2.ServerHttp2Session> }).sessions].map((upstreamSession) => {
        const gone = once(upstreamSession, 'close');
        upstreamSession.destroy();
        return gone;
      });
      await Promise.all(closed);
    }
  });

  test('an upstream that cannot be reached is told in an answer', async () => {
    await using bench = await openBench({ http2Upstream: hello });
    await new Promise((closed) => bench.servers.https.close(closed));
    const answer = await askHttp2(bench.http2('api.test'), { ':method': 'POST' }, 'x');
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([502, 'upstream-unreachable']);
  });

  test('a refusal while the client still sends reaches it whole, then it is told to stop', async () => {
    await using bench = await openBench({ allow: ['GET api.test'], http2Upstream: hello });
    const session = bench.http2('api.test');
    const stream = session.request({ ':method': 'POST' });
    stream.on('error', () => undefined);
    const pourOn = () => { while (!stream.destroyed && stream.write(chunk)); };
    stream.on('drain', pourOn);
    pourOn();
    const answer = await collectHttp2(stream);
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'method-not-allowed']);
  });
});

describe('what a session may cost', () => {
  test('streams that are opened and reset at once end it', async () => {
    await using bench = await openBench({ http2Upstream: hello });
    const socket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined);
    const ended = readAll(socket);
    // GET, https, /, and :authority by its index in the static table (RFC 7541, appendix A).
    const block = Buffer.concat([Buffer.from([0x82, 0x87, 0x84, 0x01, 8]), Buffer.from('api.test')]);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]));
    for (let id = 1; id < 20_000 && !socket.destroyed; id += 2) {
      const flows = socket.write(Buffer.concat([frame(1, 0x5, id, block), frame(3, 0, id, Buffer.from([0, 0, 0, 8]))]));
      if (!flows) await Promise.race([once(socket, 'drain').catch(() => undefined), ended]);
    }
    await ended;
    expect(bench.entries.length).toBeLessThan(1_000);
    expect(bench.entries.filter(({ reason }) => reason === 'capacity')).toMatchObject([{ decision: 'blocked', status: null }]);
    // Others are served as before.
    expect((await askHttp2(bench.http2('api.test'), {})).status).toBe(200);
  });

  test.each<[string, (write: (bytes: Buffer) => void) => void]>([
    ['headers that never end', (write) => {
      write(frame(1, 0, 1, Buffer.from([0x82, 0x87, 0x84])));
      for (let i = 0; i < 1_000; i++) write(frame(9, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62])));
    }],
    ['settings that are sent on and on, and acknowledgements not read', (write) => {
      for (let i = 0; i < 20_000; i++) write(frame(4, 0, 0));
    }],
  ])('%s end it', async (_, flood) => {
    await using bench = await openBench({ http2Upstream: hello });
    const socket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]));
    flood((bytes) => void socket.write(bytes));
    await readAll(socket);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ reason: 'bad-request' });
  });

});
