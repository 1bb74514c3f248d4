import { describe, expect, test } from 'vitest';
import { ask, askHttp2, openBench } from './open-bench.ts';
import { END_HEADERS, END_STREAM, frame, HEADERS, headerBlock } from './raw-http2.ts';
import { startRawHttp2Upstream } from './raw-http2-upstream.ts';
import { startRawUpstream } from './raw-upstream.ts';

const refusal = { status: 502, headers: { 'x-decoy-blocked': 'upstream-unreachable' } };
const entry = { decision: 'failed', reason: 'upstream-unreachable', status: 502, remedy: expect.stringContaining('"api.test:443" gave no answer with a status that HTTP knows') };

describe.each(['000', '001', '099'])('an answer with status %s is refused', (status) => {
  test('of an upstream over HTTP/2', async () => {
    using upstream = await startRawHttp2Upstream(['api.test'], ({ socket, stream }) => {
      socket.write(frame(HEADERS, END_HEADERS | END_STREAM, stream, headerBlock([[':status', status]])));
    });
    await using bench = await openBench({ options: upstream.options });
    const session = bench.http2('api.test');
    const answer = await askHttp2(session, {}).catch((error: Error) => error.message);
    const [told] = await bench.entriesOf(1);
    // The nghttp2 of Node 24 refuses it by itself, and a reset is passed on.
    if (answer === 'reset with 1') expect(told).toMatchObject({ decision: 'failed', reason: 'upstream-unreachable' });
    else expect([answer, told]).toMatchObject([refusal, entry]);
    // The client's session goes on.
    const next = session.request({}).on('error', () => undefined);
    await new Promise((resolve) => next.once('response', resolve).once('close', resolve));
    expect(session).toMatchObject({ closed: false, destroyed: false });
    next.close();
  });

  test.each(['keeps', 'ends'])('of an upstream over HTTP/1.1 that %s its connection, to clients of both versions', async (how) => {
    using upstream = await startRawUpstream(['api.test'], ({ socket }) => {
      socket.write(`HTTP/1.1 ${status} x\r\nContent-Length: 2\r\n\r\nok`);
      if (how === 'ends') socket.end();
    });
    await using bench = await openBench({ options: upstream.options });
    expect(await askHttp2(bench.http2('api.test'), {})).toMatchObject(refusal);
    expect(await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).toMatchObject(refusal);
    expect(await bench.entriesOf(2)).toMatchObject([entry, entry]);
  });
});

test.each(['150 x\r\n\r\n', '150 x\r\n\r\nHTTP/1.1 199 y\r\nConnection: close\r\n\r\n'])('interim answers alone, and the end of the connection, are refused: %j', async (bytes) => {
  using upstream = await startRawUpstream(['api.test'], ({ socket }) => void socket.end(`HTTP/1.1 ${bytes}`));
  await using bench = await openBench({ options: upstream.options });
  expect(await askHttp2(bench.http2('api.test'), {})).toMatchObject(refusal);
  expect(await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).toMatchObject(refusal);
});
