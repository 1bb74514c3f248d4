import type { Transform } from 'node:stream';
import type { Decoder, DecoderOptions } from './decoder.ts';

/** A decoder of one of Node's streams, made when the first chunk is there. */
export function openStreamDecoder(create: (first: Buffer) => Transform, { take, surplus }: DecoderOptions): Decoder {
  let stream: (Transform & { bytesWritten?: number }) | null = null;
  let failure: Error | null = null;
  let isEnded = false;
  let pushedBytes = 0;
  let wake: () => void = () => undefined;

  const open = (first: Buffer): Transform => {
    const opened = create(first);
    opened.on('readable', () => wake());
    opened.on('end', () => {
      isEnded = true;
      wake();
    });
    opened.on('error', (error) => {
      failure = error;
      wake();
    });
    return opened;
  };
  const takeUntil = async (isDone: () => boolean): Promise<void> => {
    for (;;) {
      if (failure !== null) throw failure;
      const bytes = stream!.read() as Buffer | null;
      if (bytes !== null) {
        const taken = take(bytes);
        if (taken !== undefined) await taken;
      } else if (isEnded || isDone()) {
        return;
      } else {
        await new Promise<void>((resolve) => { wake = resolve; });
      }
    }
  };
  /** Bytes the stream has no use for: it has seen the end of the coded data before them. */
  const hasSurplus = () => isEnded || stream!.bytesWritten! < pushedBytes;

  return {
    async push(chunk) {
      if (chunk.length === 0) return;
      stream ??= open(chunk);
      if (pushedBytes === 0 || !hasSurplus()) {
        pushedBytes += chunk.length;
        let isWritten = false;
        stream.write(chunk, () => {
          isWritten = true;
          wake();
        });
        await takeUntil(() => isWritten && stream!.readableLength === 0);
      } else {
        pushedBytes += chunk.length;
      }
      if (surplus === 'refuse' && hasSurplus()) throw new Error('bytes behind the end of the coded data');
    },
    async end() {
      // A coded body may be empty, as the answer to HEAD is.
      if (stream === null || isEnded) return;
      stream.end();
      await takeUntil(() => false);
    },
    destroy() {
      stream?.destroy();
    },
  };
}
