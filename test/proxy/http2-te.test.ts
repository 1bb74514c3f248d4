import { expect, test } from 'vitest';
import { openBench, type Bench } from './open-bench.ts';
import { startRawHttp2Upstream } from './raw-http2-upstream.ts';
import { DATA, END_HEADERS, END_STREAM, frame, framesOf, headerBlock, HEADERS, opening, type Http2Fields } from './raw-http2.ts';

// Node throws for two of them, in a listener: that ended the process.
const twice: Http2Fields = [['te', 'trailers'], ['te', 'trailers']];
const head = (method: string): Http2Fields => [[':method', method], [':scheme', 'https'], [':authority', 'api.test'], [':path', '/p']];
const get = frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(head('GET')));
const status: Http2Fields = [[':status', '200']];

/** The kinds of the answer's frames until its end. */
async function answerTo(bench: Bench, request: Buffer[]): Promise<number[]> {
  const socket = bench.tls('api.test', { ALPNProtocols: ['h2'] });
  socket.on('error', () => undefined).write(Buffer.concat([opening, ...request]));
  const kinds: number[] = [];
  for await (const { kind, flags, stream } of framesOf(socket)) {
    if (stream === 1) kinds.push(kind);
    if (stream === 1 && (flags & END_STREAM) !== 0) break;
  }
  return kinds;
}

test('two TE headers in the trailers of a request pass as one', async () => {
  let received: unknown;
  await using bench = await openBench({
    http2Upstream: (stream) => {
      stream.on('trailers', (trailers) => { received = trailers; });
      stream.resume().on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end('hello');
      });
    },
  });
  const request = [
    frame(HEADERS, END_HEADERS, 1, headerBlock(head('POST'))), frame(DATA, 0, 1, Buffer.from('body')), frame(HEADERS, END_HEADERS | END_STREAM, 1, headerBlock(twice)),
  ];
  expect(await answerTo(bench, request)).toContain(DATA);
  expect(received).toMatchObject({ te: 'trailers' });
});

test.each<[string, (stream: number) => Buffer[], number[]]>([
  ['in the headers', (stream) => [frame(HEADERS, END_HEADERS | END_STREAM, stream, headerBlock([...status, ...twice, ['x-a', 'b']]))], [HEADERS]],
  ['in the trailers', (stream) => [
    frame(HEADERS, END_HEADERS, stream, headerBlock(status)), frame(DATA, 0, stream, Buffer.from('hello')),
    frame(HEADERS, END_HEADERS | END_STREAM, stream, headerBlock([...twice, ['x-a', 'b']])),
  ], [HEADERS, DATA, HEADERS]],
])('two TE headers of an answer, %s: it passes without them', async (_, frames, kinds) => {
  using upstream = await startRawHttp2Upstream(['api.test'], ({ socket, stream }) => void socket.write(Buffer.concat(frames(stream))));
  await using bench = await openBench({ options: upstream.options });
  expect(await answerTo(bench, [get])).toEqual(kinds);
  expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'allowed', status: 200 });
});

test('nor over HTTP/1.1', async () => {
  await using bench = await openBench({
    upstream: (_, response) => {
      response.writeHead(200, ['Trailer', 'te', 'TE', 'trailers', 'TE', 'trailers']).write('hello');
      response.addTrailers([['te', 'trailers'], ['te', 'trailers'], ['x-a', 'b']]);
      response.end();
    },
  });
  expect(await answerTo(bench, [get])).toEqual([HEADERS, DATA, HEADERS]);
});
