import { Readable } from 'node:stream';
import { demultiplex } from '../../src/sandbox/demultiplex.ts';
import { createMarkerFilter } from '../../src/sandbox/marker-filter.ts';
import { check, cut, readBytes } from './bytes.ts';

const token = 'aab';
const marker = Buffer.from(`\0decoy:${token}:`, 'latin1');

/** What the command writes: frames come apart wherever the stream is cut, and nothing but the marker ends the output. */
export async function fuzz(data: Buffer): Promise<void> {
  const bytes = readBytes(data);
  const lengths = Array.from({ length: bytes.below(24) }, () => bytes.below(11));
  const frames: { channel: number; body: Buffer }[] = [];
  for (let count = bytes.below(6); count > 0; count -= 1) frames.push({ channel: bytes.below(3), body: Buffer.from(bytes.line(), 'latin1') });
  const rest = bytes.rest();
  await checkFrames([...frames, { channel: 1, body: rest }], lengths);
  // A byte of 0xfe stands for the marker, 0xff for its beginning.
  checkMarker(Buffer.concat(Array.from(rest, (byte) => (byte === 0xfe ? marker : byte === 0xff ? marker.subarray(0, 9) : Buffer.from([byte])))), lengths);
}

async function checkFrames(frames: readonly { channel: number; body: Buffer }[], lengths: readonly number[]): Promise<void> {
  const stream = Buffer.concat(frames.flatMap(({ channel, body }) => {
    const header = Buffer.from([channel, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(body.length, 4);
    return [header, body];
  }));
  const seen = { stdout: '', stderr: '' };
  const pieces = cut(stream, lengths).filter((piece) => piece.length > 0);
  for await (const { channel, bytes } of demultiplex(Readable.from(pieces, { objectMode: true }))) seen[channel] += bytes.toString('latin1');
  const written = (isError: boolean) => Buffer.concat(frames.filter(({ channel }) => (channel === 2) === isError).map(({ body }) => body)).toString('latin1');
  check(seen.stdout === written(false) && seen.stderr === written(true), 'each channel has what was written to it');
}

function checkMarker(output: Buffer, lengths: readonly number[]): void {
  const filter = createMarkerFilter(token);
  const at = output.indexOf(marker);
  let passed = Buffer.alloc(0);
  for (const piece of cut(output, lengths)) {
    const { bytes, ended } = filter.push(piece);
    passed = Buffer.concat([passed, bytes]);
    if (ended) return check(at !== -1 && passed.equals(output.subarray(0, at)), 'what stands before the marker passes');
  }
  check(at === -1 && Buffer.concat([passed, filter.flush()]).equals(output), 'without a marker everything passes');
}
