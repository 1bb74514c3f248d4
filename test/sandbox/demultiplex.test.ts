import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { demultiplex } from '../../src/sandbox/demultiplex.ts';

const frame = (channel: number, text: string) => {
  const header = Buffer.alloc(8);
  header[0] = channel;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
};
const stream = Buffer.concat([frame(1, 'out one '), frame(2, 'err '), frame(1, ''), frame(1, 'out two'), frame(2, 'more')]);

test.each([1, 2, 3, 7, 8, 9, 64, stream.length])('stdout and stderr stay apart in pieces of %i bytes', async (size) => {
  const source = new PassThrough();
  for (let start = 0; start < stream.length; start += size) source.write(stream.subarray(start, start + size));
  source.end();
  const text = { stdout: '', stderr: '' };
  for await (const { channel, bytes } of demultiplex(source)) text[channel] += bytes.toString();
  expect(text).toEqual({ stdout: 'out one out two', stderr: 'err more' });
});

test('leaving early does not close the connection', async () => {
  const source = new PassThrough();
  source.write(stream);
  for await (const _ of demultiplex(source)) break;
  expect(source.destroyed).toBe(false);
});
