import type { Writable } from 'node:stream';
import type { BodyScrubber, ScrubCount } from '../secrets/compile-secrets.ts';
import { createDecoder } from './coding.ts';

/** Where the bytes of an upstream's body go. */
export type ResponseSink = {
  /** false: wait until `onDrain` was called */
  write(chunk: Buffer): boolean;
  /** `finished` is called when the last byte was handed to the client's connection */
  end(finished: () => void): void;
  destroy(): void;
};

/** Passes the body on as it is. */
export function createDirectSink(answer: Writable, onDrain: () => void): ResponseSink {
  answer.on('drain', onDrain);
  return { write: (chunk) => answer.write(chunk), end: (finished) => finished(), destroy: () => undefined };
}

export type ScrubbedSinkOptions = {
  scrubber: BodyScrubber;
  coding: string | null;
  onDrain(): void;
  onScrubs(counts: ScrubCount[]): void;
  /** the body could not be decoded */
  onError(): void;
};

/** Decodes the body and passes it on with every real value replaced; a chunk goes out as soon as it is known to hold none. */
export function createScrubbedSink(answer: Writable, options: ScrubbedSinkOptions): ResponseSink {
  const { scrubber } = options;
  const writeScrubbed = (chunk: Buffer): boolean => {
    const bytes = scrubber.push(chunk);
    return bytes.length === 0 || answer.write(bytes);
  };
  const finish = (finished: () => void) => {
    const rest = scrubber.flush();
    if (rest.length > 0) answer.write(rest);
    options.onScrubs(scrubber.counts());
    finished();
  };
  if (options.coding === null) {
    answer.on('drain', options.onDrain);
    return { write: writeScrubbed, end: finish, destroy: () => undefined };
  }
  return createDecodingSink(answer, { ...options, coding: options.coding, writeScrubbed, finish });
}

type DecodingOptions = ScrubbedSinkOptions & {
  coding: string;
  writeScrubbed(chunk: Buffer): boolean;
  finish(finished: () => void): void;
};

function createDecodingSink(answer: Writable, options: DecodingOptions): ResponseSink {
  let decoder: ReturnType<typeof createDecoder> | null = null;
  const open = (first: Buffer) => {
    const stream = createDecoder(options.coding, first);
    stream.on('data', (bytes: Buffer) => {
      try {
        if (!options.writeScrubbed(bytes)) stream.pause();
      } catch {
        options.onError();
      }
    });
    stream.on('drain', options.onDrain);
    stream.on('error', options.onError);
    answer.on('drain', () => stream.resume());
    return stream;
  };
  return {
    write(chunk) {
      decoder ??= open(chunk);
      return decoder.write(chunk);
    },
    end(finished) {
      // A coded body may be empty, as the answer to HEAD is.
      if (decoder === null) return options.finish(finished);
      decoder.once('end', () => options.finish(finished));
      decoder.end();
    },
    destroy: () => decoder?.destroy(),
  };
}
