import type { Extensions, Inflater } from 'ws';
import type { MessageMemory } from './message-memory.ts';

/** What a receiver needs of the extensions, with what a message becomes counted. */
export type MessageInflater = {
  extensions: { 'permessage-deflate'?: Inflater };
  /** Frees what the extensions hold, as soon as that can be done. */
  close(): void;
};

export function openInflater(message: MessageMemory, { 'permessage-deflate': inner }: Extensions): MessageInflater {
  if (inner === undefined) return { extensions: {}, close: () => undefined };
  let isInflating = false;
  let isClosed = false;
  const inflater: Inflater = {
    decompress(data, isLast, done) {
      isInflating = true;
      inner.decompress(data, isLast, (error, inflated) => {
        isInflating = false;
        if (isClosed) inner.cleanup();
        const hasRoom = inflated === undefined || message.add(inflated.length);
        done(error ?? (hasRoom ? null : Object.assign(new Error('no memory for the message'), { code: memoryUsedUpCode })), inflated);
      });
    },
  };
  return {
    extensions: { 'permessage-deflate': inflater },
    close() {
      isClosed = true;
      // In the middle of a message, the package would fall over its own callback, and the process with it.
      if (!isInflating) inner.cleanup();
    },
  };
}

export const memoryUsedUpCode = 'MEMORY_USED_UP';
