import { Transform } from 'node:stream';

/** Brotli that compresses nothing: meta-blocks that hold their bytes as they are (RFC 7932, section 9.2), in a window of 64 KiB. */
export function createStoredBrotli(): Transform {
  let isFirst = true;
  /** The stream's one bit for its window comes before the first block's own. */
  const header = (bits: number): number => {
    const shifted = isFirst ? bits << 1 : bits;
    isFirst = false;
    return shifted;
  };
  return createStored({
    // Not the last; four nibbles of its length less one; not compressed.
    headerOf: (length) => littleEndian(header(((length - 1) << 3) | (1 << 19))),
    // The last, and empty.
    end: () => Buffer.from([header(0b11)]),
  });
}

/** zstd that compresses nothing: one frame of raw blocks (RFC 8878, section 3.1.1). */
export function createStoredZstd(): Transform {
  let frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, WINDOW_OF_128_KIB]);
  const withFrame = (block: Buffer): Buffer => {
    const bytes = Buffer.concat([frame, block]);
    frame = Buffer.alloc(0);
    return bytes;
  };
  return createStored({ headerOf: (length) => withFrame(littleEndian(length << 3)), end: () => withFrame(littleEndian(1)) });
}

type Stored = { headerOf(length: number): Buffer; end(): Buffer };

function createStored({ headerOf, end }: Stored): Transform {
  return new Transform({
    transform(chunk: Buffer, _, done) {
      for (let at = 0; at < chunk.length; at += MAX_BLOCK_BYTES) {
        const block = chunk.subarray(at, at + MAX_BLOCK_BYTES);
        this.push(headerOf(block.length));
        this.push(block);
      }
      done();
    },
    flush(done) {
      done(null, end());
    },
  });
}

/** As much as Brotli can say in four nibbles; zstd takes twice as much. */
const MAX_BLOCK_BYTES = 1 << 16;
/** Section 3.1.1.1.2: an exponent of 7 above 10. */
const WINDOW_OF_128_KIB = 7 << 3;

function littleEndian(number: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(number, 0, 3);
  return bytes;
}
