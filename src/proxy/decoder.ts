import { openAwsChunkedDecoder } from './aws-chunked-decoder.ts';
import { AWS_CHUNKED } from './coding.ts';
import { windowBytes } from './decoder-memory.ts';
import { MemoryUsedUp, type Reservation } from './memory-budget.ts';
import { createDecoder, isNodeCoding } from './node-codings.ts';
import { openStreamDecoder } from './stream-decoder.ts';

export type Decoder = {
  /** Settled when all that the chunk decodes to was taken. Called again only then. @throws where it cannot be decoded; `MemoryUsedUp` */
  push(chunk: Buffer): Promise<void>;
  /** @throws where the body is cut short */
  end(): Promise<void>;
  destroy(): void;
};

export type DecoderOptions = {
  /** Gets every piece as soon as it is there; the next one waits for what it returns. */
  take(bytes: Buffer): void | Promise<void>;
  /** what to do with bytes behind the end of the coded data: clients drop them, so they may be dropped unread where nobody else reads them */
  surplus: 'drop' | 'refuse';
  /** has `decoderBytes` of the codings, and grows by their windows; whoever made it releases it */
  memory: Reservation;
};

/**
 * Undoes the codings of a body (as parseCoding gives them). What it holds is bounded by the codings' windows, 16 MiB at most, which
 * `memory` must have room for, however much a small body decodes to: nothing is decoded that was not taken.
 */
export function openDecoder(codings: string, options: DecoderOptions): Decoder {
  const [first, ...others] = codings.split(',') as [string, ...string[]];
  // The first was applied first and is undone last.
  return others.reduce((inner, coding) => feed(openSingle(coding, { ...options, take: inner.push }), inner), openSingle(first, options));
}

function feed(outer: Decoder, inner: Decoder): Decoder {
  return {
    push: outer.push,
    async end() {
      await outer.end();
      await inner.end();
    },
    destroy() {
      outer.destroy();
      inner.destroy();
    },
  };
}

function openSingle(coding: string, options: DecoderOptions): Decoder {
  if (coding === AWS_CHUNKED) return openAwsChunkedDecoder(options);
  if (!isNodeCoding(coding)) return openLazily(options);
  return openStreamDecoder((first) => {
    if (!options.memory.grow(windowBytes(coding, first))) throw new MemoryUsedUp();
    return createDecoder(coding, first);
  }, options);
}

/** zstd where Node has none is loaded when the first such body comes, which for most runs is never. */
function openLazily(options: DecoderOptions): Decoder {
  let opening: Promise<Decoder> | null = null;
  let isDestroyed = false;
  const open = () => (opening ??= import('./zstd-decoder.ts').then(({ openZstdDecoder }) => openZstdDecoder(options)));
  return {
    async push(chunk) {
      const decoder = await open();
      if (!isDestroyed) await decoder.push(chunk);
    },
    async end() {
      if (opening !== null) await (await opening).end();
    },
    destroy() {
      isDestroyed = true;
      opening?.then((decoder) => decoder.destroy()).catch(() => undefined);
    },
  };
}
