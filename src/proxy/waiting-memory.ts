import type { MemoryBudget, Reservation } from './memory-budget.ts';

/** What a stream holds while its reader does not take it, of which there is none as long as it flows. */
export type WaitingMemory = {
  /** false where there is no room for it: then the stream must end */
  wait(): boolean;
  flow(): void;
};

/** @param bytes that come in, at most, until a sender that was paused stops */
export function createWaitingMemory(budget: MemoryBudget, bytes: number): WaitingMemory {
  let held: Reservation | null = null;
  return {
    wait() {
      held ??= budget.reserve(bytes);
      return held !== null;
    },
    flow() {
      held?.release();
      held = null;
    },
  };
}
