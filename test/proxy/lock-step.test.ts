import { once } from 'node:events';
import http from 'node:http';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { openBench } from './open-bench.ts';

const secret = boundSecret('KEY', 'sk-real/0123+45="<&>\\mnopQRST', 'api.test');

/** Every form's beginnings, and the forms themselves, each at the end of an event's line. */
const endings = encodedForms(secret.value).flatMap(({ text }) => [1, 2, 3, 4, 7, text.length >> 1, text.length - 1, text.length].map((length) => text.slice(0, length)));
const events = ['', ...new Set(endings)].map((ending) => Buffer.from(`id: 1\ndata: ${ending}\n\n`, 'latin1'));

type Writer = (response: http.ServerResponse) => { write(event: Buffer): void };
const writers: [string, Writer][] = [
  ['', (response) => ({ write: (event) => void response.write(event) })],
  ['gzip', (response) => flushing(zlib.createGzip(), response)],
  ['deflate', (response) => flushing(zlib.createDeflate(), response)],
  ['br', (response) => {
    const br = zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } });
    br.pipe(response);
    return { write: (event) => void br.write(event, () => br.flush()) };
  }],
  ['zstd', (response) => {
    response.write(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0])); // a frame with a window of 1 KiB (RFC 8878)
    return { write: (event) => void response.write(Buffer.concat([Buffer.from([event.length << 3, event.length >> 5, 0]), event])) };
  }],
];

test.each(writers)('each event of a "%s" stream reaches the client before the server sends the next', async (coding, createWriter) => {
  let next: () => void = () => undefined;
  await using bench = await openBench({
    secrets: [secret], allow: [],
    upstream: (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...(coding === '' ? {} : { 'content-encoding': coding }) });
      const writer = createWriter(response);
      let sent = 0;
      next = () => writer.write(events[sent++]!);
      next();
    },
  });
  const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test', 'accept-encoding': 'gzip, deflate, br, zstd' } }).end();
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const stream = response[Symbol.asyncIterator]();
  for (const [at, event] of events.entries()) {
    let received = '';
    while (!received.endsWith('\n\n')) received += (await bounded(stream.next(), `event ${at}, ${JSON.stringify(event.toString('latin1'))}`)).value.toString('latin1');
    if (encodedForms(secret.value).some(({ text }) => event.includes(Buffer.from(text, 'latin1')))) expect(received).not.toBe(event.toString('latin1'));
    else expect(received).toBe(event.toString('latin1'));
    if (at + 1 < events.length) next();
  }
  request.on('error', () => undefined).destroy();
}, 60_000);

test('of an event that is not finished, only what begins like a value waits for the rest', async () => {
  let send: (text: string) => void = () => undefined;
  await using bench = await openBench({
    secrets: [secret], allow: [],
    upstream: (_, response) => {
      send = (text) => void response.write(text);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      send('data: a');
    },
  });
  const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } }).end();
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const stream = response[Symbol.asyncIterator]();
  const next = async () => String((await bounded(stream.next(), 'what can be passed on')).value);
  expect(await next()).toBe('data: a');
  send(`b! ${secret.value.slice(0, -1)}`);
  expect(await next()).toBe('b! ');
  send('\n\n');
  expect(await next()).toBe(`${secret.value.slice(0, -1)}\n\n`);
  request.on('error', () => undefined).destroy();
});

function flushing(stream: zlib.Gzip | zlib.Deflate, response: http.ServerResponse): { write(event: Buffer): void } {
  stream.pipe(response);
  return { write: (event) => void stream.write(event, () => stream.flush(zlib.constants.Z_SYNC_FLUSH)) };
}

/** The bound of what must come at once. */
async function bounded<T>(promise: Promise<T>, what: string): Promise<T> {
  const signal = AbortSignal.timeout(5_000);
  return Promise.race([promise, once(signal, 'abort').then(() => { throw new Error(`${what} did not come`); })]);
}
