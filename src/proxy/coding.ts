import type { Transform } from 'node:stream';
import zlib from 'node:zlib';

/** The content codings this Node can undo; zstd came with Node 22.15. */
export const decodableCodings: ReadonlySet<string> = new Set([
  'gzip', 'x-gzip', 'deflate', 'br', ...('createZstdDecompress' in zlib ? ['zstd'] : []),
]);

/** The coding named by a Content-Encoding value: null for none, `unknown` for one, or a list, that cannot be undone. */
export function parseCoding(contentEncoding: string | null): string | null | 'unknown' {
  const codings = (contentEncoding ?? '').toLowerCase().split(',').map((text) => text.trim())
    .filter((text) => text !== '' && text !== 'identity');
  if (codings.length === 0) return null;
  return codings.length === 1 && decodableCodings.has(codings[0]!) ? codings[0]! : 'unknown';
}

/**
 * A stream that undoes `coding`. It gives what it can after every write, so an event stream is not delayed, and fails on a body
 * that is cut short. `first` is the beginning of the body: `deflate` is sent with and without the zlib wrapper (RFC 9110, 8.4.1.2).
 */
export function createDecoder(coding: string, first: Buffer): Transform {
  if (coding === 'br') return zlib.createBrotliDecompress();
  if (coding === 'zstd') return (zlib as unknown as { createZstdDecompress(): Transform }).createZstdDecompress();
  if (coding === 'deflate') return hasZlibWrapper(first) ? zlib.createInflate() : zlib.createInflateRaw();
  return zlib.createGunzip();
}

/** A stream that codes a body as `createDecoder` would undo it; quick rather than small, for it is only one hop's. */
export function createEncoder(coding: string, first: Buffer): Transform {
  if (coding === 'br') return zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
  if (coding === 'zstd') return (zlib as unknown as { createZstdCompress(): Transform }).createZstdCompress();
  if (coding === 'deflate') return hasZlibWrapper(first) ? zlib.createDeflate({ level: 1 }) : zlib.createDeflateRaw({ level: 1 });
  return zlib.createGzip({ level: 1 });
}

function hasZlibWrapper(first: Buffer): boolean {
  return ((first[0] ?? 0) & 0x0f) === 8;
}

/**
 * What to send as Accept-Encoding where the answer must be read: the client's codings as far as they can be undone. Without the
 * header any coding would be acceptable, so `identity` is asked for (RFC 9110, 12.5.3).
 */
export function reduceAcceptEncoding(acceptEncoding: string | null): string {
  const kept = (acceptEncoding ?? '').split(',').map((text) => text.trim())
    .filter((text) => decodableCodings.has(text.split(';')[0]!.trim().toLowerCase()));
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
