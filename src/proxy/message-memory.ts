import type { Reservation } from './memory-budget.ts';

/** Counts what a receiver holds of a message that is not whole yet. */
export type MessageMemory = {
  /** false where there is no room */
  add(bytes: number): boolean;
  /** The message is whole, and no longer the receiver's. */
  settle(): void;
};

/** Every piece that comes counts until the message is whole, as a receiver keeps all of the chunk that it needs a byte of. */
export function createMessageMemory(memory: Reservation): MessageMemory {
  let heldBytes = 0;
  return {
    add(dataBytes) {
      const bytes = dataBytes + aroundBytes;
      if (!memory.grow(bytes)) return false;
      heldBytes += bytes;
      return true;
    },
    settle() {
      memory.shrink(heldBytes);
      heldBytes = 0;
    },
  };
}

/** What the smallest piece of data costs, with the objects around it. */
export const aroundBytes = 512;
