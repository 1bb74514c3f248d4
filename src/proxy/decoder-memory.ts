import { isNodeCoding } from './node-codings.ts';
import { zstdWindowLog } from './zstd-frame.ts';

/** What a decoder of the codings (as parseCoding gives them) holds, in bytes, before it has read anything. */
export function decoderBytes(codings: string): number {
  return codings.split(',').reduce((bytes, coding) => bytes + (ownBytes[coding] ?? inflateBytes), 0);
}

/** What one that codes a body again holds, in bytes: at the settings of `createEncoder`. */
export function encoderBytes(coding: string): number {
  return encodersBytes[coding] ?? deflateBytes;
}

/**
 * The window that the body's beginning makes its decoder keep, in bytes, on top of `decoderBytes`. As much is not needed for a short body,
 * but how long one is shows only at its end.
 */
export function windowBytes(coding: string, first: Buffer): number {
  if (coding === 'br') return brotliWindowBytes(first[0]!);
  return coding === 'zstd' && isNodeCoding(coding) ? 2 ** zstdWindowLog(first) : 0;
}

/** Measured as resident memory on Node 20 and 24: 105-170 KiB for the 32 KiB window, its state, the stream around it and a chunk. */
const inflateBytes = 160 << 10;
/** zlib.h: 256 KiB for its window and tables, and the stream around it. */
const deflateBytes = 384 << 10;
/**
 * Besides their windows. Brotli: tables for 256 trees each of literals, commands and distances (RFC 7932, section 4) take 2.7 MiB.
 * zstd: state and tables 160 KiB, blocks of 128 KiB coming and going.
 */
const ownBytes: Readonly<Record<string, number>> = { br: 3 << 20, zstd: 1 << 20, 'aws-chunked': 16 << 10 };
/** What is written as it is needs no window: a chunk coming and one going. */
const encodersBytes: Readonly<Record<string, number>> = { br: 128 << 10, zstd: 128 << 10 };

/** LGWIN, which is in the first byte (RFC 7932, section 9.1). The one that is none there fails in the decoder. */
function brotliWindowBytes(byte: number): number {
  if ((byte & 1) === 0) return 1 << 16;
  const long = (byte >> 1) & 7;
  if (long > 0) return 1 << (17 + long);
  const short = (byte >> 4) & 7;
  return 1 << (short === 0 ? 17 : 8 + short);
}
