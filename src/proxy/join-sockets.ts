import type { Duplex } from 'node:stream';
import type { WaitingMemory } from './waiting-memory.ts';

export type Direction<Found> = {
  /** what keeps this chunk from going on, or null */
  find(chunk: Buffer): Found | null;
  onFound(found: Found): void;
  onBytes(count: number): void;
  /** for what the other side does not take */
  waiting: WaitingMemory;
  onMemoryUsedUp(): void;
};

/** What one direction may hold, a chunk on each side: for `waiting`. */
export const waitingSocketBytes: number = 128 << 10;

/**
 * Hands on what each of two connections receives to the other, its end included, until both are over. Neither is read while the other does
 * not take what it has. Where both are half-open, each direction ends by itself.
 */
export function joinSockets<Found>(client: Duplex, upstream: Duplex, { up, down }: { up: Direction<Found>; down: Direction<Found> }): void {
  pump(client, upstream, up);
  pump(upstream, client, down);
  upstream.on('error', () => upstream.destroy());
  couple(client, upstream);
  couple(upstream, client);
}

function pump<Found>(from: Duplex, to: Duplex, { find, onFound, onBytes, waiting, onMemoryUsedUp }: Direction<Found>): void {
  from.on('data', (chunk: Buffer) => {
    const found = find(chunk);
    if (found !== null) return onFound(found);
    onBytes(chunk.length);
    if (to.write(chunk)) return;
    from.pause();
    if (!waiting.wait()) onMemoryUsedUp();
  });
  to.on('drain', () => {
    waiting.flow();
    from.resume();
  });
  to.once('close', waiting.flow);
  if (from.readableEnded) to.end();
  else from.once('end', () => to.end());
  from.resume();
}

/** One that came to its end on both sides may still have to deliver what it was given; one that broke ends the other at once. */
function couple(one: Duplex, other: Duplex): void {
  one.once('close', () => {
    if (!one.readableEnded || !one.writableFinished || other.writableFinished) other.destroy();
    else other.end(() => other.destroy());
  });
}
