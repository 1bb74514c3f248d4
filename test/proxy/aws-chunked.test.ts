import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseRequestCoding } from '../../src/proxy/coding.ts';
import { decoderBytes } from '../../src/proxy/decoder-memory.ts';
import { openDecoder } from '../../src/proxy/decoder.ts';
import { createMemoryBudget } from '../../src/proxy/memory-budget.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { seededRandom } from '../secrets/random.ts';
import { ask, openBench } from './open-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const [secret] = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]) as [ReturnType<typeof mintSecrets>[number]];

/** As boto3 2026 sends it. */
function chunked(parts: readonly (string | Buffer)[], { trailers = ['x-amz-checksum-crc32:sOO8/Q=='], extension = '' } = {}): Buffer {
  const chunks = parts.flatMap((part) => [Buffer.from(`${Buffer.byteLength(part).toString(16)}${extension}\r\n`), Buffer.from(part), Buffer.from('\r\n')]);
  return Buffer.concat([...chunks, Buffer.from(`0${extension}\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`)]);
}

async function decode(coding: string, chunks: readonly Buffer[]): Promise<string> {
  const pieces: Buffer[] = [];
  const decoder = openDecoder(coding, { take: (bytes) => void pieces.push(Buffer.from(bytes)), surplus: 'refuse', memory: createMemoryBudget({ memoryBytes: 64 << 20 }).reserve(decoderBytes(coding))! });
  for (const chunk of chunks) await decoder.push(chunk);
  await decoder.end();
  return Buffer.concat(pieces).toString('latin1');
}

test.each([
  ['aws-chunked', 'aws-chunked'], ['AWS-Chunked ', 'aws-chunked'], ['aws-chunked,gzip', 'gzip,aws-chunked'], ['gzip, aws-chunked', 'gzip,aws-chunked'], ['gzip', 'gzip'], [null, null],
  ['aws-chunked, aws-chunked', 'unknown'], ['aws-chunked,br', 'unknown'], ['deflate,aws-chunked', 'unknown'], ['gzip,gzip,aws-chunked', 'unknown'], ['aws-chunked,other', 'unknown'],
])('Content-Encoding: %s is read as %s', (text, coding) => {
  expect(parseRequestCoding(text)).toBe(coding);
});

describe('a body', () => {
  test.each([
    ['with trailers', chunked(['hello ', 'world'])],
    ['without', chunked(['hello ', 'world'], { trailers: [] })],
    ['with a signature of each chunk', chunked(['hello ', 'world'], { extension: `;chunk-signature=${'ab'.repeat(32)}` })],
  ])('%s is undone, however it is cut', async (_, coded) => {
    expect(await decode('aws-chunked', [coded])).toBe('hello world');
    expect(await decode('aws-chunked', Array.from(coded, (byte) => Buffer.from([byte])))).toBe('hello world');
    for (let seed = 1; seed <= 5; seed += 1) expect(await decode('aws-chunked', seededRandom(seed).cut(coded, 7)), `seed ${seed}`).toBe('hello world');
  });

  test('over gzip is undone', async () => {
    expect(await decode('gzip,aws-chunked', [chunked([zlib.gzipSync('hello world').subarray(0, 9), zlib.gzipSync('hello world').subarray(9)])])).toBe('hello world');
  });

  test.each([
    ['cut in the data', 'b\r\nhello'], ['cut before the trailers', '1\r\na\r\n0\r\n'], ['cut in a trailer', '0\r\nx:y'], ['nothing', ''], ['longer than its length', '1\r\nab\r\n0\r\n\r\n'],
    ['shorter than its length', '3\r\nab\r\n0\r\n\r\n'], ['no length', '\r\na\r\n0\r\n\r\n'], ['bare line feeds', '1\na\n0\n\n'], ['a sign', '+1\r\na\r\n0\r\n\r\n'], ['a space', '1 \r\na\r\n0\r\n\r\n'],
    ['another extension', '1;x=y\r\na\r\n0\r\n\r\n'], ['a length of nine digits', '000000001\r\na\r\n0\r\n\r\n'], ['bytes behind', '1\r\na\r\n0\r\n\r\nb'], ['no trailer', '0\r\nnone\r\n\r\n'], ['a folded trailer', '0\r\na:b\r\n c\r\n\r\n'],
    ['a line without an end', `0\r\nx:${'y'.repeat(10_000)}\r\n\r\n`], ['what is none', 'hello world'],
  ])('that is wrong (%s) is an error', async (_, coded) => {
    await expect(decode('aws-chunked', [Buffer.from(coded)])).rejects.toThrow();
    await expect(decode('aws-chunked', Array.from(Buffer.from(coded), (byte) => Buffer.from([byte])))).rejects.toThrow();
  });
});

describe('an upload', () => {
  const send = async (body: Buffer, headers: Record<string, string> = {}) => {
    const received: Buffer[] = [];
    await using bench = await openBench({
      secrets: [secret],
      upstream: async (request, response) => {
        try {
          for await (const chunk of request) received.push(chunk as Buffer);
          response.end('ok');
        } catch { /* broken off */ }
      },
    });
    const answer = await ask(bench.agentTo('api.test'), { method: 'PUT', headers: { host: 'api.test', 'content-encoding': 'aws-chunked', 'content-length': body.length, ...headers }, body });
    return { answer, received: Buffer.concat(received) };
  };

  test('goes on as it came', async () => {
    const body = chunked([seededRandom(1).bytes(100_000), 'end']);
    const { answer, received } = await send(body);
    expect([answer.status, received.equals(body)]).toEqual([200, true]);
  });

  test.each([
    ['a placeholder cut in two by chunks', chunked([secret.placeholder.slice(0, 20), secret.placeholder.slice(20)]), 'placeholder-wrong-place'],
    ['a real value cut in two by chunks', chunked([`a${value.slice(0, 20)}`, `${value.slice(20)}b`]), 'real-secret-leaving'],
    ['a real value in gzip in chunks', chunked([zlib.gzipSync(value)]), 'real-secret-leaving'],
    ['a real value in a trailer', chunked(['a'], { trailers: [`x:${value}`] }), 'real-secret-leaving'],
    ['no chunks', Buffer.from('hello'), 'unscannable-body'],
  ])('with %s is refused', async (what, body, reason) => {
    const { answer, received } = await send(body, what.includes('gzip') ? { 'content-encoding': 'aws-chunked,gzip' } : {});
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, reason]);
    expect(received.toString('latin1')).not.toContain(value);
  });
});
