import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { createStoredBrotli, createStoredZstd } from './stored-codings.ts';
import { zstdWindowLog } from './zstd-frame.ts';

/** Whether Node undoes, and applies, this one coding itself: zstd from 24 on, as that of 22.15 takes a body that is cut short for a whole one. */
export function isNodeCoding(coding: string): boolean {
  return nodeCodings.has(coding);
}

/**
 * A stream that undoes `coding`. It gives what it can after every write, so an event stream is not delayed, and fails on a body
 * that is cut short. `first` is the beginning of the body: `deflate` is sent with and without the zlib wrapper (RFC 9110, 8.4.1.2).
 */
export function createDecoder(coding: string, first: Buffer): Transform {
  if (coding === 'br') return zlib.createBrotliDecompress();
  if (coding === 'zstd') return createZstdDecompress!({ params: { [windowLogMax]: zstdWindowLog(first) } });
  if (coding === 'deflate') return hasZlibWrapper(first) ? zlib.createInflate() : zlib.createInflateRaw();
  return zlib.createGunzip();
}

/**
 * A stream that codes a body as `createDecoder` would undo it, and compresses nothing: how short a body becomes tells how much of it repeats, and
 * with guesses beside a value, how much of them is right.
 */
export function createEncoder(coding: string, first: Buffer): Transform {
  if (coding === 'br') return createStoredBrotli();
  if (coding === 'zstd') return createStoredZstd();
  if (coding === 'deflate') return hasZlibWrapper(first) ? zlib.createDeflate({ level: 0 }) : zlib.createDeflateRaw({ level: 0 });
  return zlib.createGzip({ level: 0 });
}

/** The types here are those of Node 20. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: { params: Record<number, number> }) => Transform };

const nodeCodings: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br', ...(Number.parseInt(process.versions.node, 10) < 24 ? [] : ['zstd'])]);

/** ZSTD_d_windowLogMax */
const windowLogMax = 100;

/** The wrapper's first byte names the method, 8 (RFC 1950, 2.2). */
function hasZlibWrapper(first: Buffer): boolean {
  return ((first[0] ?? 0) & 0x0f) === 8;
}
