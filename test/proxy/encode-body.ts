import zlib from 'node:zlib';
import { compress, init } from '@bokuweb/zstd-wasm';

await init();

const encoders: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: (body) => zlib.gzipSync(body),
  'x-gzip': (body) => zlib.gzipSync(body),
  deflate: (body) => zlib.deflateSync(body),
  br: (body) => zlib.brotliCompressSync(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  // Not Node's own: tests run where it has none.
  zstd: (body) => Buffer.from(compress(body, 3)),
};

/** A body in the codings of a Content-Encoding value, the first applied first. */
export function encodeBody(body: Buffer, codings: string): Buffer {
  return codings.split(',').map((coding) => coding.trim()).reduce((coded, coding) => encoders[coding]!(coded), body);
}
