import { setImmediate } from 'node:timers/promises';
import { Decompress } from 'fzstd';
import type { Decoder, DecoderOptions } from './decoder.ts';
import { MemoryUsedUp } from './memory-budget.ts';
import { blockHeaderBytes, readBlockHeader, readFrameHeader, renderFrameHeader } from './zstd-frame.ts';

/**
 * zstd for a Node that has none (docs/decisions/0008-zstd.md). fzstd decodes the blocks; frames are read here, as it decodes all of a
 * chunk in one go, does not bound windows and blocks, and waits for more bytes where a block is short. Checksums are not verified: what they guard
 * against, TLS has ruled out.
 */
export function openZstdDecoder({ take, memory }: Pick<DecoderOptions, 'take' | 'memory'>): Decoder {
  let rest: Buffer = Buffer.alloc(0);
  let skipBytes = 0;
  let frame: Frame | null = null;

  /** One header, block or part of what is skipped; false where more bytes are needed. */
  const step = async (): Promise<boolean> => {
    if (skipBytes > 0) return skip();
    if (frame === null) return openFrame();
    const block = readBlockHeader(rest);
    if (block === null || rest.length < blockHeaderBytes + block.codedBytes) return false;
    const pieces = frame.decode(rest.subarray(0, blockHeaderBytes + block.codedBytes));
    rest = rest.subarray(blockHeaderBytes + block.codedBytes);
    if (block.isLast) {
      frame.verify();
      skipBytes = frame.checksumBytes;
      memory.shrink(frame.windowBytes);
      frame = null;
    }
    for (const piece of pieces) await take(piece);
    // A few bytes may stand for many blocks: others get their turn in between.
    await setImmediate();
    return true;
  };
  const skip = (): boolean => {
    const skipped = Math.min(skipBytes, rest.length);
    rest = rest.subarray(skipped);
    skipBytes -= skipped;
    return skipped > 0;
  };
  const openFrame = (): boolean => {
    const header = readFrameHeader(rest);
    if (header === null) return false;
    rest = rest.subarray(header.headerBytes);
    if (header.kind === 'skippable') skipBytes = header.skipBytes;
    else if (memory.grow(header.windowBytes)) frame = createFrame(header);
    else throw new MemoryUsedUp();
    return true;
  };

  return {
    async push(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length > 0 && await step());
      // A copy: the chunk's memory may be used again.
      rest = Buffer.from(rest);
    },
    async end() {
      if (rest.length > 0 || frame !== null || skipBytes > 0) throw new Error('the zstd data is cut short');
    },
    destroy() {
      rest = Buffer.alloc(0);
      frame = null;
    },
  };
}

type Frame = {
  windowBytes: number;
  checksumBytes: number;
  decode(block: Buffer): Buffer[];
  /** @throws where the frame has not as many bytes as its header says */
  verify(): void;
};

function createFrame({ windowBytes, contentBytes, hasChecksum }: { windowBytes: number; contentBytes: number | null; hasChecksum: boolean }): Frame {
  let pieces: Buffer[] = [];
  let decodedBytes = 0;
  const decoder = new Decompress((bytes) => {
    decodedBytes += bytes.length;
    if (bytes.length > 0) pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  });
  decoder.push(renderFrameHeader(windowBytes));
  return {
    windowBytes,
    checksumBytes: hasChecksum ? 4 : 0,
    decode(block) {
      pieces = [];
      decoder.push(block);
      if (contentBytes !== null && decodedBytes > contentBytes) throw new Error('the zstd frame is longer than it says');
      return pieces;
    },
    verify() {
      if (contentBytes !== null && decodedBytes !== contentBytes) throw new Error('the zstd frame is shorter than it says');
    },
  };
}
