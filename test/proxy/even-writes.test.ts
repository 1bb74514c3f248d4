import { once } from 'node:events';
import http from 'node:http';
import { createServer, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createEvenWriter, keepBehind } from '../../src/proxy/even-writes.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { framed } from './frames.ts';
import { openBench, portOf } from './open-bench.ts';

const value = 'ghp_rEaL23456789abcdefghijklmnopqrstuv01';
const secrets = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]);

/** An answer: its headers, and what the server writes, each piece a while after the last, as what is there at once is passed on as one. */
type Way = { headers?: http.OutgoingHttpHeaders; pieces(guess: string): (string | Buffer)[]; pauseMs?: number };

const typed = (type: string) => ({ 'content-type': type });
/** Shorter than is waited for the next message. */
const shortMs = 3;
const trailer = framed('grpc-status:0\r\n', 0x80);
/** Longer than what comes at once, so that it is cut where nobody chose. */
const long = (guess: string) => guess.padStart(16, '.').repeat(16 << 10);
const ways: Record<string, Way> = {
  'in one piece': { pieces: (guess) => [`${'.'.repeat(900)}${guess}`] },
  'shorter than a value': { pieces: (guess) => [guess] },
  'ended a little later': { pieces: (guess) => [guess, ''] },
  'with more behind it, a little later': { pieces: (guess) => [`${'.'.repeat(900)}${guess}`, '. That was it.'] },
  'in gzip': { headers: { 'content-encoding': 'gzip' }, pieces: (guess) => [zlib.gzipSync(long(guess))] },
  'as a message of gRPC-Web': { headers: typed('application/grpc-web+proto'), pieces: (guess) => [framed(guess), trailer], pauseMs: shortMs },
  'as one in base64': { headers: typed('application/grpc-web-text'), pieces: (guess) => [framed(guess).toString('base64'), trailer.toString('base64')], pauseMs: shortMs },
  'as the text of messages': { headers: typed('application/grpc-web-text'), pieces: (guess) => [`AAAAAP8A${'A'.repeat(60)}${Buffer.from(guess).toString('hex')}`, 'A'.repeat(80 + 2 * (guess.length % 2))], pauseMs: shortMs },
};

/** How long each chunk of the answer is that the sandbox gets. */
async function chunkLengths({ headers, pieces, pauseMs = 20 }: Way, guess: string): Promise<number[]> {
  await using bench = await openBench({
    secrets, allow: [],
    upstream: async (_, response) => {
      response.writeHead(200, headers).flushHeaders();
      await wait(pauseMs);
      for (const piece of pieces(guess)) {
        response.write(piece);
        await wait(pauseMs);
      }
      response.end();
    },
  });
  const socket = bench.tls('api.test');
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => { answer += part; });
  socket.write('GET / HTTP/1.1\r\nHost: api.test\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  const lengths: number[] = [];
  for (let at = answer.indexOf('\r\n\r\n') + 4; at < answer.length;) {
    const end = answer.indexOf('\r\n', at);
    lengths.push(Number.parseInt(answer.slice(at, end), 16));
    at = end + 2 + lengths.at(-1)! + 2;
  }
  return lengths;
}

/** On a busy machine two pieces may come as one in either: tried again, what depends on the guess differs every time. */
async function bothChunkLengths(way: Way, right: string, wrong: string): Promise<[number[], number[]]> {
  let both: [number[], number[]];
  let triesLeft = 4;
  do both = [await chunkLengths(way, right), await chunkLengths(way, wrong)];
  while (String(both[0]) !== String(both[1]) && triesLeft-- > 0);
  return both;
}

describe('in which pieces an echo of guesses comes does not depend on whether they are right', () => {
  test.each(Object.entries(ways))('%s', async (_, way) => {
    for (const known of [6, 9, 24]) {
      const right = value.slice(0, known);
      const [ofRight, ofWrong] = await bothChunkLengths(way, right, `${right.slice(0, 4)}${'!'.repeat(known - 4)}`);
      expect(ofRight.length).toBeGreaterThan(1);
      expect(ofRight).toEqual(ofWrong);
    }
  }, 30_000);
});

test('what is not finished comes when nothing has followed for a while, but for what may be a value', async () => {
  await using bench = await openBench({ secrets, allow: [], upstream: (_, response) => void response.write(`password for ${value.slice(0, 9)}`) });
  const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } }).end();
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const [chunk] = await once(response, 'data', { signal: AbortSignal.timeout(5_000) }) as [Buffer];
  expect(chunk.toString()).toBe('password for ');
  request.on('error', () => undefined).destroy();
});

describe('a while', () => {
  const behindTen = () => keepBehind({
    push: (chunk) => chunk, flush: () => Buffer.alloc(0), pendingBytes: () => 0, mostPendingBytes: 10, endMessage: () => Buffer.alloc(0), torn: () => null, counts: () => [],
  });
  const options = () => ({ scrubber: behindTen(), quietMs: 20, isBusy: () => false });
  const sizesOf = (answer: PassThrough) => {
    const sizes: number[] = [];
    answer.on('data', (chunk: Buffer) => sizes.push(chunk.length));
    return sizes;
  };

  test('does not begin while the client reads nothing, as nothing is read from the server then', async () => {
    const answer = new PassThrough({ highWaterMark: 8 });
    const writer = createEvenWriter(answer, options());
    expect(writer.write(Buffer.alloc(30))).toBe(false);
    await wait(100);
    expect(answer.readableLength).toBe(20);
    const sizes = sizesOf(answer);
    await once(answer, 'drain');
    expect(writer.write(Buffer.alloc(7))).toBe(true);
    answer.write(writer.end(null));
    await turn();
    expect(sizes).toEqual([20, 7, 10]);
  });

  test('is no time in which Decoy was busy itself', async () => {
    const server = createServer((socket) => {
      socket.write('a'.repeat(30));
      setTimeout(() => {
        socket.end('b'.repeat(30));
        const until = performance.now() + 100;
        while (performance.now() < until);
      }, 5);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = new PassThrough();
    const writer = createEvenWriter(answer, options());
    const sizes = sizesOf(answer);
    const client = connect(portOf(server), '127.0.0.1', () => undefined);
    client.on('data', (chunk: Buffer) => void writer.write(chunk));
    await once(client, 'end');
    expect(sizes).toEqual([20, 30]);
    writer.destroy();
    server.close();
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
