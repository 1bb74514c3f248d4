/** The frame format of zstd: RFC 8878, section 3.1. */

export type FrameHeader =
  | { kind: 'skippable'; headerBytes: number; skipBytes: number }
  /** `contentBytes` is null where the header does not say it; of the declared window no more than `windowBytes` is ever filled */
  | { kind: 'data'; headerBytes: number; declaredWindowBytes: number; windowBytes: number; contentBytes: number | null; hasChecksum: boolean };

/** RFC 9659: as much a content coding may ask its reader to keep. */
export const maxWindowBytes: number = 8 << 20;

/** Null where there is not all of it yet. @throws where it is none, or one that cannot be decoded */
export function readFrameHeader(bytes: Buffer): FrameHeader | null {
  if (bytes.length < 4) return null;
  const magic = bytes.readUInt32LE(0);
  if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
    return bytes.length < 8 ? null : { kind: 'skippable', headerBytes: 8, skipBytes: bytes.readUInt32LE(4) };
  }
  if (magic !== dataMagic) throw new Error('not a zstd frame');
  if (bytes.length < 5) return null;
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryAt = isSingleSegment ? 5 : 6;
  const contentAt = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!;
  const contentFieldBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const headerBytes = contentAt + contentFieldBytes;
  if (bytes.length < headerBytes) return null;
  if ((descriptor & 0x08) !== 0) throw new Error('a reserved bit of the zstd frame is set');
  if (bytes.subarray(dictionaryAt, contentAt).some((byte) => byte !== 0)) throw new Error('the zstd frame needs a dictionary');
  const contentBytes = readContentBytes(bytes.subarray(contentAt, headerBytes));
  const declaredWindowBytes = isSingleSegment ? contentBytes! : windowOf(bytes[5]!);
  if (declaredWindowBytes > maxWindowBytes) throw new Error('the window of the zstd frame is too large');
  // What is never filled need not be there.
  const windowBytes = Math.min(declaredWindowBytes, contentBytes ?? Infinity);
  return { kind: 'data', headerBytes, declaredWindowBytes, windowBytes, contentBytes, hasChecksum: (descriptor & 0x04) !== 0 };
}

/**
 * The largest window that a frame of the body may have: as Node's decoder does not tell of later ones, what the usual levels make, or
 * as much as the first frame has.
 */
export function zstdWindowLog(first: Buffer): number {
  try {
    const header = readFrameHeader(first);
    return header?.kind === 'data' ? Math.max(usualWindowLog, Math.ceil(Math.log2(header.declaredWindowBytes))) : Math.log2(maxWindowBytes);
  } catch {
    return Math.log2(maxWindowBytes);
  }
}

/** A header that says no more than the size of the window, rounded up; eight bytes of an unknown content size make it long enough for fzstd to read it. */
export function renderFrameHeader(windowBytes: number): Buffer {
  const header = Buffer.alloc(14);
  header.writeUInt32LE(dataMagic);
  header[4] = 0xc0;
  while (windowOf(header[5]!) < windowBytes) header[5]! += 1;
  return header;
}

export const blockHeaderBytes = 3;

/** Null where there is not all of it yet. @throws where a block is larger than any may be */
export function readBlockHeader(bytes: Buffer): { codedBytes: number; isLast: boolean } | null {
  if (bytes.length < blockHeaderBytes) return null;
  const header = bytes.readUIntLE(0, blockHeaderBytes);
  const kind = (header >> 1) & 3;
  const size = header >> 3;
  if (kind === 3 || size > maxBlockBytes) throw new Error('not a zstd block');
  // One byte stands for a whole block that repeats it.
  return { codedBytes: kind === repeatedByte ? 1 : size, isLast: (header & 1) !== 0 };
}

/** 2 MiB: up to level 9. */
const usualWindowLog = 21;
const dataMagic = 0xfd2fb528;
const maxBlockBytes = 128 << 10;
const repeatedByte = 1;

/** Section 3.1.1.1.2. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Section 3.1.1.1.4. */
function readContentBytes(field: Buffer): number | null {
  switch (field.length) {
    case 0: return null;
    case 2: return field.readUInt16LE() + 256;
    case 8: return Number(field.readBigUInt64LE());
    default: return field.readUIntLE(0, field.length);
  }
}
