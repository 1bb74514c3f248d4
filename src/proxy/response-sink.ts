import type { Writable } from 'node:stream';
import type { EvenScrubber, ScrubCount } from '../secrets/compile-secrets.ts';
import { decoderBytes } from './decoder-memory.ts';
import { openDecoder } from './decoder.ts';
import { createEvenWriter, type EvenWriter } from './even-writes.ts';
import { gatherTurn } from './gather-turn.ts';
import { MemoryUsedUp, type MemoryBudget, type Reservation } from './memory-budget.ts';

/** Where the bytes of an upstream's body go. */
export type ResponseSink = {
  /** false: wait until `onDrain` was called */
  write(chunk: Buffer): boolean;
  /** `finished` is called when the last byte was handed to the client's connection; `isLast`: no trailers follow */
  end(finished: () => void, options: { isLast: boolean }): void;
  destroy(): void;
};

export type DirectSinkOptions = {
  /** Called before bytes of the body are written, only the first time counts; `wholeBytes`: the length of the body as it goes to the client, where all of it is there, else null. */
  onBegin(wholeBytes: number | null): void;
  onDrain(): void;
};

/** Passes the body on as it is. */
export function createDirectSink(answer: Writable, options: DirectSinkOptions): ResponseSink {
  return createGatheringSink(answer, { write: (bytes) => answer.write(bytes), end: (bytes) => bytes ?? nothing, destroy: () => undefined }, options);
}

export type ScrubbedSinkOptions = DirectSinkOptions & {
  scrubber: EvenScrubber;
  coding: string | null;
  /** after how long without more of the body nothing of it waits any longer but what may be a value */
  quietMs: number;
  memory: MemoryBudget;
  onScrubs(counts: ScrubCount[]): void;
  /** the body could not be decoded */
  onError(): void;
  /** there was no room for its window */
  onMemoryUsedUp(): void;
};

/** Decodes the body and passes it on with every real value replaced; a chunk goes out as soon as it is known to hold none. null: no memory for it. */
export function createScrubbedSink(answer: Writable, options: ScrubbedSinkOptions): ResponseSink | null {
  const { scrubber, quietMs } = options;
  let isBusy: () => boolean = () => false;
  const writer = createEvenWriter(answer, { scrubber, quietMs, isBusy: () => isBusy() });
  const scrubbed: EvenWriter = {
    ...writer,
    end(chunk) {
      const last = writer.end(chunk);
      options.onScrubs(scrubber.counts());
      return last;
    },
  };
  if (options.coding === null) return createGatheringSink(answer, scrubbed, options);
  const memory = options.memory.reserve(decoderBytes(options.coding));
  if (memory === null) return null;
  const sink = createDecodingSink(answer, { ...options, coding: options.coding, memory, writer: scrubbed });
  isBusy = sink.isBusy;
  return {
    ...sink,
    destroy() {
      writer.destroy();
      sink.destroy();
    },
  };
}

function createGatheringSink(answer: Writable, writer: EvenWriter, { onBegin, onDrain }: DirectSinkOptions): ResponseSink {
  let isOver = false;
  const take = (bytes: Buffer): boolean => {
    if (isOver) return true;
    onBegin(null);
    return writer.write(bytes);
  };
  const gatherer = gatherTurn({ take, isFull: () => answer.writableNeedDrain, onDrain });
  answer.on('drain', onDrain);
  return {
    write: gatherer.write,
    end(finished, { isLast }) {
      const bytes = writer.end(gatherer.drop());
      // Refused for what the last bytes hold: the answer is that.
      if (isOver) return;
      onBegin(isLast ? bytes.length : null);
      writeLast(answer, bytes);
      finished();
    },
    destroy() {
      isOver = true;
      gatherer.drop();
      writer.destroy();
    },
  };
}

function writeLast(answer: Writable, bytes: Buffer): void {
  if (bytes.length === 0) return;
  // As text, Node makes one piece of it and the headers.
  if (bytes.length <= ONE_RECORD_BYTES) answer.write(bytes.toString('latin1'), 'latin1');
  else answer.write(bytes);
}

const nothing: Buffer = Buffer.alloc(0);
/** Of TLS (RFC 8446, 5.1). */
const ONE_RECORD_BYTES = 16 << 10;

type DecodingOptions = Omit<ScrubbedSinkOptions, 'memory'> & {
  coding: string;
  memory: Reservation;
  writer: EvenWriter;
};

function createDecodingSink(answer: Writable, options: DecodingOptions): ResponseSink & { isBusy(): boolean } {
  let isOver = false;
  let chunksWaiting = 0;
  const decoder = openDecoder(options.coding, {
    take(bytes) {
      if (isOver) return undefined;
      options.onBegin(null);
      return options.writer.write(bytes) ? undefined : drained(answer);
    },
    surplus: 'drop',
    memory: options.memory,
  });
  const release = () => {
    decoder.destroy();
    options.memory.release();
  };
  const stop = () => {
    isOver = true;
    release();
  };
  const fail = (error: unknown) => {
    if (isOver) return;
    stop();
    if (error instanceof MemoryUsedUp) options.onMemoryUsedUp();
    else options.onError();
  };
  /** Chunks one after the other: a stream may give another one although it was asked to wait. */
  let work = Promise.resolve();
  return {
    write(chunk) {
      // Resumed, undici's parser calls once more with nothing.
      if (chunk.length === 0) return true;
      chunksWaiting += 1;
      work = work.then(() => decoder.push(chunk)).finally(() => { chunksWaiting -= 1; });
      work.then(options.onDrain).catch(fail);
      return false;
    },
    isBusy: () => chunksWaiting > 0,
    end(finished) {
      work.then(() => decoder.end()).then(() => {
        release();
        const bytes = options.writer.end(null);
        if (isOver) return;
        options.onBegin(null);
        writeLast(answer, bytes);
        finished();
      }).catch(fail);
    },
    destroy: stop,
  };
}

/** Never settled where the client goes away: then nothing more is to be decoded. */
function drained(answer: Writable): Promise<void> {
  return new Promise((resolve) => answer.once('drain', resolve));
}
