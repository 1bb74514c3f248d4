import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseCoding } from '../../src/proxy/coding.ts';
import { decoderBytes } from '../../src/proxy/decoder-memory.ts';
import { openDecoder } from '../../src/proxy/decoder.ts';
import { createMemoryBudget } from '../../src/proxy/memory-budget.ts';
import { openZstdDecoder } from '../../src/proxy/zstd-decoder.ts';
import { seededRandom } from '../secrets/random.ts';
import { encodeBody } from './encode-body.ts';

const codings = ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip,br', 'br,zstd', 'zstd,gzip', 'deflate,gzip,br', 'zstd,zstd,zstd'];

/** Text that compresses, then noise that does not: blocks of every kind. */
function sample(bytes: number): Buffer {
  return Buffer.concat([Buffer.alloc(bytes, 'the quick brown fox '), seededRandom(1).bytes(bytes), Buffer.alloc(bytes)]);
}

const memoryFor = (coding: string) => createMemoryBudget({ memoryBytes: 64 << 20 }).reserve(decoderBytes(coding))!;

async function decode(coding: string, chunks: Buffer[], surplus: 'drop' | 'refuse' = 'drop'): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const decoder = openDecoder(coding, { take: (bytes) => void pieces.push(Buffer.from(bytes)), surplus, memory: memoryFor(coding) });
  for (const chunk of chunks) await decoder.push(chunk);
  await decoder.end();
  return Buffer.concat(pieces);
}

describe.each(codings)('%s', (coding) => {
  test('is undone, however the body is cut', async () => {
    const body = sample(3_000);
    const coded = encodeBody(body, coding);
    expect((await decode(coding, [coded])).equals(body)).toBe(true);
    for (let seed = 1; seed <= 5; seed += 1) {
      expect((await decode(coding, seededRandom(seed).cut(coded, seed * 40))).equals(body), `seed ${seed}`).toBe(true);
    }
    const short = encodeBody(Buffer.from('short'), coding);
    expect(String(await decode(coding, Array.from(short, (byte) => Buffer.from([byte]))))).toBe('short');
  });

  test('is undone where it is large', async () => {
    const body = sample(700_000);
    expect((await decode(coding, seededRandom(7).cut(encodeBody(body, coding), 65_536))).equals(body)).toBe(true);
  });

  test('fails where it is cut short', async () => {
    const coded = encodeBody(sample(500), coding);
    await expect(decode(coding, [coded.subarray(0, -1)])).rejects.toThrow();
    await expect(decode(coding, [coded.subarray(0, coded.length >> 1)])).rejects.toThrow();
  });

  test('fails where it is something else', async () => {
    await expect(decode(coding, [Buffer.from('{"no":"coding at all"}')])).rejects.toThrow();
  });

  test.each([['in one chunk', false], ['in the next chunk', true]])('bytes behind its end, %s, are dropped or refused', async (_, isApart) => {
    const coded = encodeBody(Buffer.from('whole'), coding);
    const surplus = Buffer.from('surplus behind the end');
    const chunks = isApart ? [coded, surplus] : [Buffer.concat([coded, surplus])];
    await expect(decode(coding, chunks, 'refuse')).rejects.toThrow();
    // Of zstd and of lists of codings the surplus may break the decoding instead; never is it passed on.
    const decoded = await decode(coding, chunks).catch(() => Buffer.from('whole'));
    expect(String(decoded)).toBe('whole');
  });

  test('an empty body stays empty', async () => {
    expect(await decode(coding, [])).toHaveLength(0);
    expect(await decode(coding, [encodeBody(Buffer.alloc(0), coding)])).toHaveLength(0);
  });

  test('nothing is decoded before what was decoded is taken, however little stands for it', async () => {
    const coded = encodeBody(Buffer.alloc(192 << 20), coding);
    let taken = 0;
    let isTaking = false;
    let largest = 0;
    let together = 0;
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const decoder = openDecoder(coding, {
      surplus: 'drop',
      memory: memoryFor(coding),
      async take(bytes) {
        if (isTaking) together += 1;
        isTaking = true;
        largest = Math.max(largest, bytes.length);
        taken += bytes.length;
        await Promise.resolve();
        if (taken % (1 << 20) < bytes.length) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        isTaking = false;
      },
    });
    await decoder.push(coded);
    await decoder.end();
    expect([taken, together]).toEqual([192 << 20, 0]);
    expect(largest).toBeLessThanOrEqual(128 << 10);
    // What was taken and not collected yet counts, too, which differs between releases of Node.
    expect(most).toBeLessThan(128 << 20);
  });
});

describe('zstd without the help of Node', () => {
  const undo = async (chunks: Buffer[]): Promise<string> => {
    const pieces: Buffer[] = [];
    const decoder = openZstdDecoder({ take: (bytes) => void pieces.push(Buffer.from(bytes)), memory: memoryFor('zstd') });
    for (const chunk of chunks) await decoder.push(chunk);
    await decoder.end();
    return Buffer.concat(pieces).toString('latin1');
  };
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  const raw = (text: string, isLast = true) => Buffer.concat([blockHeader(text.length, 0, isLast), Buffer.from(text)]);

  test('frames one behind the other, and skippable ones between', async () => {
    const frame = encodeBody(Buffer.from('one '), 'zstd');
    const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const body = Buffer.concat([skippable, frame, skippable, encodeBody(Buffer.from('two'), 'zstd'), skippable]);
    expect(await undo([body])).toBe('one two');
    expect(await undo(Array.from(body, (byte) => Buffer.from([byte])))).toBe('one two');
  });

  test('blocks as they come', async () => {
    const taken: string[] = [];
    const decoder = openZstdDecoder({ take: (bytes) => void taken.push(String(bytes)), memory: memoryFor('zstd') });
    await decoder.push(Buffer.concat([magic, Buffer.from([0x00, 0x00]), raw('data: 1\n\n', false)]));
    expect(taken).toEqual(['data: 1\n\n']);
    await decoder.push(Buffer.concat([blockHeader(5, 1, false), Buffer.from('x')]));
    expect(taken[1]).toBe('xxxxx');
    await decoder.push(raw('', true));
    await decoder.end();
  });

  test.each<[string, Buffer]>([
    ['a window above 8 MiB', Buffer.concat([magic, Buffer.from([0x00, (14 << 3) | 0]), raw('x')])],
    ['a content of 16 MiB in one segment', Buffer.concat([magic, Buffer.from([0xa0, 0, 0, 0, 1]), raw('x')])],
    ['a dictionary', Buffer.concat([magic, Buffer.from([0x01, 0x00, 7]), raw('x')])],
    ['a reserved bit', Buffer.concat([magic, Buffer.from([0x08, 0x00]), raw('x')])],
    ['a reserved block', Buffer.concat([magic, Buffer.from([0x00, 0x00]), blockHeader(1, 3, true), Buffer.from('x')])],
    ['a block above 128 KiB', Buffer.concat([magic, Buffer.from([0x00, 0x00]), blockHeader((128 << 10) + 1, 1, true), Buffer.from('x')])],
    ['less than the frame says', Buffer.concat([magic, Buffer.from([0x20, 5]), raw('four')])],
    ['more than the frame says', Buffer.concat([magic, Buffer.from([0x20, 3]), raw('four')])],
    ['no last block', Buffer.concat([magic, Buffer.from([0x00, 0x00]), raw('x', false)])],
    ['another magic number', Buffer.from('(\xb5/\xfc\0\0', 'latin1')],
  ])('%s fails', async (_, body) => {
    await expect(undo([body])).rejects.toThrow();
  });

  test('whatever a damaged frame holds, decoding ends', async () => {
    const frame = encodeBody(sample(2_000), 'zstd');
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = seededRandom(seed);
      const damaged = Buffer.from(frame);
      for (let count = 0; count <= random.below(4); count += 1) damaged[random.below(damaged.length)] = random.below(256);
      await undo([damaged]).catch(() => undefined);
    }
  });
});

function blockHeader(size: number, kind: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (kind << 1) | (isLast ? 1 : 0), 0, 3);
  return header;
}

test('deflate without its wrapper is undone', async () => {
  expect(String(await decode('deflate', [zlib.deflateRawSync('bare')]))).toBe('bare');
});

test.each<[string | null, string | null]>([
  [null, null], ['', null], ['identity', null], ['gzip', 'gzip'], [' GZip , identity, BR ', 'gzip,br'], ['gzip, br, zstd', 'gzip,br,zstd'],
  ['gzip, gzip, gzip, gzip', 'unknown'], ['exi', 'unknown'], ['gzip, exi', 'unknown'], ['compress', 'unknown'], ['gzip;q=1', 'unknown'], ['aws-chunked', 'unknown'],
])('Content-Encoding %j is read as %j', (value, coding) => {
  expect(parseCoding(value)).toBe(coding);
});
