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
  let heldBytes = 0;
  const reserve = (): Reservation => {
    let ownBytes = 0;
    let isReleased = false;
    const change = (bytes: number) => {
      ownBytes += bytes;
      heldBytes += bytes;
    };
    return {
      grow(bytes) {
        if (isReleased || heldBytes + bytes > memoryBytes) return false;
        change(bytes);
        return true;
      },
      shrink: (bytes) => change(-Math.min(bytes, ownBytes)),
      release() {
        isReleased = true;
        change(-ownBytes);
      },
    };
  };
  return {
    totalBytes: memoryBytes,
    heldBytes: () => heldBytes,
    reserve(bytes) {
      const reservation = reserve();
      return reservation.grow(bytes) ? reservation : null;
    },
  };
}

export function memoryUsedUp({ totalBytes }: Pick<MemoryBudget, 'totalBytes'>): Refusal {
  return {
    status: 503, decision: 'blocked', reason: 'capacity',
    remedy: `Have fewer bodies and messages under way at once: the proxy holds at most ${totalBytes >> 20} MiB for a run; or raise memory in proxy-limits.`,
  };
}
