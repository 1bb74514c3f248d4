import { once } from 'node:events';
import { expect, test } from 'vitest';
import { askHttp2, openBench } from './open-bench.ts';
import { DATA, END_HEADERS, END_STREAM, frame, GOAWAY, HEADERS, headerBlock } from './raw-http2.ts';
import { startRawHttp2Upstream, type RawHttp2Listener } from './raw-http2-upstream.ts';

// Each upstream here keeps its end of a connection open for ever.
const head: RawHttp2Listener = ({ socket, stream }) => socket.write(frame(HEADERS, END_HEADERS, stream, headerBlock([[':status', '200']])));
const end: RawHttp2Listener = ({ socket, stream }) => socket.write(frame(DATA, END_STREAM, stream, Buffer.from('hello')));
const goAway: RawHttp2Listener = ({ socket, stream }) => {
  const lastStreamAndNoError = Buffer.alloc(8);
  lastStreamAndNoError.writeUInt32BE(stream, 0);
  socket.write(frame(GOAWAY, 0, 0, lastStreamAndNoError));
};
const inTurn = (...listeners: RawHttp2Listener[]): RawHttp2Listener => (request) => listeners.forEach((listener) => listener(request));

test.each([['before', [goAway, head, end]], ['after', [head, end, goAway]]] as const)('an upstream that says GOAWAY %s its answer has its connection closed when that is over', async (_, listeners) => {
  using upstream = await startRawHttp2Upstream(['api.test'], inTurn(...listeners));
  await using bench = await openBench({ options: upstream.options });
  expect((await askHttp2(bench.http2('api.test'), {})).body.toString()).toBe('hello');
  await Promise.all(upstream.closed);
  expect(upstream.closed).toHaveLength(1);
});

test.each([['says GOAWAY', inTurn(goAway, head)], ['does not', head]])('a connection on which a stream runs is closed with the proxy, whether its upstream says GOAWAY: it %s', async (_, listener) => {
  using upstream = await startRawHttp2Upstream(['api.test'], listener);
  await using bench = await openBench({ options: upstream.options });
  const stream = bench.http2('api.test').request({});
  stream.on('error', () => undefined);
  await once(stream, 'response');
  await bench.proxy[Symbol.asyncDispose]();
  await Promise.all(upstream.closed);
  expect(upstream.closed).toHaveLength(1);
});

test('the connection to the host that was not asked for longest is closed when there are too many', async () => {
  const names = Array.from({ length: 257 }, (_, at) => `h${at}.many.test`);
  using upstream = await startRawHttp2Upstream(names, inTurn(head, end));
  await using bench = await openBench({ allow: ['*.many.test'], options: upstream.options });
  for (const name of names) {
    const session = bench.http2(name);
    expect((await askHttp2(session, {})).status).toBe(200);
    session.destroy();
  }
  await upstream.closed[0];
  expect(upstream.closed).toHaveLength(257);
});
