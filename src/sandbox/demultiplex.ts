import type { Readable } from 'node:stream';

export type OutputFrame = { channel: 'stdout' | 'stderr'; bytes: Buffer };

const HEADER_BYTES = 8;

/**
 * Splits an attach stream into what was written to stdout and stderr, as it arrives.
 * Frames are a stream number (0-2), three zero bytes and a big-endian length (Docker Engine API, ContainerAttach).
 * A frame is handed on in the pieces it arrives in: its length is the engine's business, not a reason to hold memory.
 * Awaiting between pieces is the back-pressure: the container blocks when the reader does.
 */
export async function* demultiplex(stream: Readable): AsyncGenerator<OutputFrame> {
  let header = Buffer.alloc(0);
  let remaining = 0;
  let channel: OutputFrame['channel'] = 'stdout';
  // Leaving the loop must not close the connection: the other direction may still be in use.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let rest = chunk;
    while (rest.length > 0) {
      if (remaining === 0) {
        const missing = HEADER_BYTES - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < HEADER_BYTES) break;
        channel = header[0] === 2 ? 'stderr' : 'stdout';
        remaining = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const bytes = rest.subarray(0, remaining);
      rest = rest.subarray(bytes.length);
      remaining -= bytes.length;
      yield { channel, bytes };
    }
  }
}
