import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { boundSecret } from '../secrets/bound-secret.ts';
import { ask, openBench, readAll, type Bench } from './open-bench.ts';
import { startRawUpstream } from './raw-upstream.ts';

/** A server that hangs up while its answer waits: an assertion of undici that fails then ends the process, and any test with it. */
const gzip = zlib.gzipSync('hello');
const long = 'x'.repeat(8 << 20);
const headers = { host: 'bound.test' };
const secrets = [boundSecret('KEY', 'a-real-value-of-a-secret', 'bound.test')];

async function openHangingUp(answer: (socket: Socket) => unknown) {
  const upstream = await startRawUpstream(['bound.test', 'api.test'], ({ socket, received }) => void (received.toString('latin1').endsWith('\r\n\r\n') && answer(socket)));
  const bench = await openBench({ allow: ['api.test', 'bound.test'], secrets, options: upstream.options });
  return { bench, async [Symbol.asyncDispose]() {
    await bench[Symbol.asyncDispose]();
    upstream[Symbol.dispose]();
  } };
}

const head = (fields: string) => `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n${fields}\r\n`;
const chunk = `${gzip.length.toString(16)}\r\n${gzip.toString('latin1')}\r\n`;
const length = `Content-Length: ${gzip.length}\r\n`;

test.each([
  ['that its end ends', head('') + gzip.toString('latin1')],
  ['that its end ends, in HTTP/1.0', (head('') + gzip.toString('latin1')).replace('/1.1', '/1.0')],
  ['with a length, and Connection: close', head(`${length}Connection: close\r\n`) + gzip.toString('latin1')],
  ['with a length, on a connection to be kept', head(length) + gzip.toString('latin1')],
  ['in chunks, and Connection: close', `${head('Transfer-Encoding: chunked\r\nConnection: close\r\n')}${chunk}0\r\n\r\n`],
  ['in chunks, on a connection to be kept', `${head('Transfer-Encoding: chunked\r\n')}${chunk}0\r\n\r\n`],
])('an answer in gzip arrives whole %s', async (_, bytes) => {
  await using hanging = await openHangingUp((socket) => socket.end(bytes, 'latin1'));
  for (let round = 0; round < 3; round += 1) {
    const answer = await ask(hanging.bench.agentTo('bound.test'), { headers });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'hello']);
  }
  expect(await hanging.bench.entriesOf(3)).toEqual(Array(3).fill(expect.objectContaining({ decision: 'allowed', status: 200 })));
});

test.each([
  ['in chunks', `${head('Transfer-Encoding: chunked\r\nConnection: close\r\n')}${chunk}`],
  ['in chunks, on a connection to be kept', `${head('Transfer-Encoding: chunked\r\n')}${chunk}`],
  ['with a length', head(`Content-Length: ${gzip.length + 1}\r\nConnection: close\r\n`) + gzip.toString('latin1')],
  ['in gzip alone', head('') + gzip.subarray(0, -2).toString('latin1')],
])('an answer that is cut short breaks off: %s', async (_, bytes) => {
  await using hanging = await openHangingUp((socket) => socket.end(bytes, 'latin1'));
  const outcome = await ask(hanging.bench.agentTo('bound.test'), { headers }).catch((error: Error) => error);
  expect(outcome).toSatisfy((one) => one instanceof Error || one.status === 502);
  expect(await hanging.bench.entriesOf(1)).toMatchObject([{ decision: 'failed', reason: 'upstream-unreachable' }]);
});

/** A client that reads nothing yet, of an answer that is longer than all buffers on its way. */
async function askWithoutReading(bench: Bench, host: string): Promise<TLSSocket> {
  const client = bench.tls(host);
  await once(client, 'secureConnect');
  client.pause().write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return client;
}

test.each(['bound.test', 'api.test'])('of an answer of %s that the client reads late, all arrives', async (host) => {
  let ended: () => void = () => undefined;
  const isEnded = new Promise<void>((resolve) => { ended = resolve; });
  await using hanging = await openHangingUp((socket) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${long}`, () => ended()));
  const client = await askWithoutReading(hanging.bench, host);
  await Promise.race([isEnded, new Promise((resolve) => setTimeout(resolve, 200))]);
  const answer = await text(client.resume());
  expect(answer.length).toBeGreaterThan(long.length);
  expect(answer).toMatch(/0\r\n\r\n$/);
});

/** `resetAndDestroy` ends the connection in order before it resets it. */
function reset(socket: Socket): void {
  (socket as Socket & { _handle: { reset(done: () => void): void } })._handle.reset(() => undefined);
}

test('no answer whose connection is reset looks whole', async () => {
  await using hanging = await openHangingUp((socket) => socket.write(head('') + gzip.toString('latin1'), 'latin1', () => setTimeout(() => reset(socket), 20)));
  const rounds = 3;
  for (let round = 0; round < rounds; round += 1) {
    const client = hanging.bench.plain('bound.test');
    client.write('GET / HTTP/1.1\r\nHost: bound.test\r\nConnection: close\r\n\r\n');
    expect((await readAll(client)).toString()).not.toMatch(/^HTTP\/1.1 200[^]*0\r\n\r\n$/);
  }
  expect(await hanging.bench.entriesOf(rounds)).toEqual(Array(rounds).fill(expect.objectContaining({ decision: 'failed' })));
});

test('a client that goes while its answer waits takes nothing else with it', async () => {
  await using hanging = await openHangingUp((socket) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${long}`));
  const client = await askWithoutReading(hanging.bench, 'api.test');
  client.destroy();
  await hanging.bench.entriesOf(1);
  expect((await ask(hanging.bench.agentTo('api.test'), { headers: { host: 'api.test' } })).body.length).toBe(long.length);
});
