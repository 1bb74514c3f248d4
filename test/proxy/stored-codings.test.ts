import { once } from 'node:events';
import zlib from 'node:zlib';
import { decompress as decompressZstd } from 'fzstd';
import { describe, expect, test } from 'vitest';
import { createEncoder } from '../../src/proxy/node-codings.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { ask, openBench } from './open-bench.ts';

const raw = zlib.deflateRawSync('x');
const codings: [coding: string, first: Buffer, decode: (coded: Buffer) => Uint8Array][] = [
  ['gzip', Buffer.from([0x1f]), zlib.gunzipSync], ['deflate', Buffer.from([0x78]), zlib.inflateSync], ['deflate', raw, zlib.inflateRawSync],
  ['br', Buffer.from([0]), zlib.brotliDecompressSync], ['zstd', Buffer.from([0x28]), decompressZstd],
];

async function encode([coding, first]: (typeof codings)[number], chunks: readonly Buffer[]): Promise<Buffer> {
  const encoder = createEncoder(coding, first);
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  for (const chunk of chunks) encoder.write(chunk);
  encoder.end();
  await once(encoder, 'end');
  return Buffer.concat(parts);
}

describe.each(codings)('%s', (...coding) => {
  test.each([[[]], [[1]], [[1, 0, 2]], [[65_536]], [[65_537, 3]], [[300_000, 1, 131_072]]])('of chunks of %j bytes decodes to them, and is no shorter', async (lengths) => {
    const chunks = lengths.map((length) => Buffer.alloc(length, 'all alike '));
    const coded = await encode(coding, chunks);
    expect(Buffer.from(coding[2](coded)).equals(Buffer.concat(chunks))).toBe(true);
    expect(coded.length).toBeGreaterThan(Buffer.concat(chunks).length);
  });
});

test.each([['gzip', zlib.gzipSync], ['deflate', zlib.deflateSync], ['br', zlib.brotliCompressSync]] as const)('in %s the length of a pinned body does not tell how much of a guess beside the value is right', async (coding, code) => {
  const value = 'ghp_rEaL23456789abcdefghijklmnopqrstuv01';
  const secrets = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value, pins: { places: parsePlaces('body:token').places, max: 1 } }]);
  await using bench = await openBench({
    secrets, allow: [],
    upstream: async (request, response) => {
      let bytes = 0;
      for await (const chunk of request) bytes += (chunk as Buffer).length;
      response.end(String(bytes));
    },
  });
  const lengthWith = async (guess: string) => {
    const body = code(JSON.stringify({ token: secrets[0]!.placeholder, guess }));
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-type': 'application/json', 'content-encoding': coding, 'content-length': body.length }, body });
    return [answer.status, answer.body.toString()];
  };
  expect(await lengthWith(value.slice(0, 16))).toEqual(await lengthWith('ghp_mT8wQ1xZ0kYv'));
});
