import type { Decoder, DecoderOptions } from './decoder.ts';

/**
 * What AWS's SDKs upload with a checksum behind it
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html): chunks after a line with their length in hexadecimal, maybe their signature, the last
 * of length 0, then trailers. Stricter than a server may be: what is not so is an error.
 */
export function openAwsChunkedDecoder({ take }: Pick<DecoderOptions, 'take'>): Decoder {
  let state: State = 'length';
  let line = '';
  let bytesLeft = 0;

  const onLine = (): void => {
    if (state === 'length') {
      const [, digits] = /^([0-9a-f]{1,8})(?:;chunk-signature=[0-9a-f]{64})?$/i.exec(line) ?? [];
      if (digits === undefined) throw new Error('no length of a chunk');
      bytesLeft = Number.parseInt(digits, 16);
      state = bytesLeft === 0 ? 'trailers' : 'data';
    } else if (state === 'after data') {
      if (line !== '') throw new Error('a chunk is longer than its length');
      state = 'length';
    } else if (line === '') {
      state = 'over';
    } else if (!TRAILER.test(line)) {
      throw new Error('no trailer');
    }
    line = '';
  };
  /** Where the line ends in the chunk, which may be behind it. */
  const readLine = (chunk: Buffer, from: number): number => {
    const feed = chunk.indexOf(LINE_FEED, from);
    const end = feed === -1 ? chunk.length : feed + 1;
    line += chunk.toString('latin1', from, end);
    if (line.length > MAX_LINE_BYTES) throw new Error('a line is too long');
    if (feed === -1) return end;
    if (!line.endsWith('\r\n')) throw new Error('a line does not end with CRLF');
    line = line.slice(0, -2);
    onLine();
    return end;
  };
  return {
    async push(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (state === 'over') throw new Error('bytes behind the end of the coded data');
        if (state !== 'data') {
          at = readLine(chunk, at);
          continue;
        }
        const end = Math.min(chunk.length, at + bytesLeft);
        bytesLeft -= end - at;
        await take(chunk.subarray(at, end));
        if (bytesLeft === 0) state = 'after data';
        at = end;
      }
    },
    async end() {
      if (state !== 'over') throw new Error('the body is cut short');
    },
    destroy: () => undefined,
  };
}

type State = 'length' | 'data' | 'after data' | 'trailers' | 'over';

const LINE_FEED = 0x0a;
const MAX_LINE_BYTES = 8 << 10;
/** RFC 9110, section 5, without obs-fold */
const TRAILER = /^[!#$%&'*+.^_`|~0-9a-z-]+:[^\r\n\0]*$/i;
