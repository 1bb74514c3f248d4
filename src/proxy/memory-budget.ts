import type { ProxyLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';

/** What the proxy may hold for the sandbox at once, of all connections and protocols. Nothing is counted twice, and nothing waits for room. */
export type MemoryBudget = {
  totalBytes: number;
  heldBytes(): number;
  /** null where there is no room */
  reserve(bytes: number): Reservation | null;
};

/** A part of the budget, for one holder. */
export type Reservation = {
  /** false where there is no room: then nothing has changed */
  grow(bytes: number): boolean;
  shrink(bytes: number): void;
  /** Gives all of it back; it cannot grow again. */
  release(): void;
};

/** Thrown where a body cannot be decoded for want of room. */
export class MemoryUsedUp extends Error {}

export function createMemoryBudget({ memoryBytes }: Pick<ProxyLimits, 'memoryBytes'>): MemoryBudget {
  const all = { totalBytes: memoryBytes, heldBytes: 0 };
  return {
    totalBytes: memoryBytes,
    heldBytes: () => all.heldBytes,
    reserve(bytes) {
      const reservation = new Part(all);
      return reservation.grow(bytes) ? reservation : null;
    },
  };
}

/** A class, as every request has some: closures would take eight times as much. */
class Part implements Reservation {
  readonly #all: { totalBytes: number; heldBytes: number };
  #ownBytes = 0;
  #isReleased = false;

  constructor(all: { totalBytes: number; heldBytes: number }) {
    this.#all = all;
  }

  grow(bytes: number): boolean {
    if (this.#isReleased || this.#all.heldBytes + bytes > this.#all.totalBytes) return false;
    this.#change(bytes);
    return true;
  }

  shrink(bytes: number): void {
    this.#change(-Math.min(bytes, this.#ownBytes));
  }

  release(): void {
    this.#isReleased = true;
    this.#change(-this.#ownBytes);
  }

  #change(bytes: number): void {
    this.#ownBytes += bytes;
    this.#all.heldBytes += bytes;
  }
}

export function memoryUsedUp({ totalBytes }: Pick<MemoryBudget, 'totalBytes'>): Refusal {
  return {
    status: 503, decision: 'blocked', reason: 'capacity',
    remedy: `Have fewer bodies and messages under way at once: the proxy holds at most ${totalBytes >> 20} MiB for a run; or raise memory in proxy-limits.`,
  };
}
