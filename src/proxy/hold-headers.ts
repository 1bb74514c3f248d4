import { headerListBytes } from './header-limit.ts';
import type { RawHeaders } from './headers.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { WhenClosed } from './when-closed.ts';

/**
 * Counts headers or trailers that wait: for the rest of a body, or for a client to read them, which it may never do. Until the stream of the answer
 * closes; false where there is no room.
 */
export function holdHeaders(onClosed: WhenClosed, { rawHeaders, memory }: { rawHeaders: RawHeaders; memory: MemoryBudget }): boolean {
  if (rawHeaders.length === 0) return true;
  const held = memory.reserve(copies * headerListBytes(rawHeaders) + bytesAround * rawHeaders.length / 2);
  if (held === null) return false;
  onClosed(() => held.release());
  return true;
}

/** Measured, 2.6: as read, and as HTTP/2 keeps them until they are sent. */
const copies = 3;
/** Measured on Node 24, 560: what a short one costs besides. */
const bytesAround = 512;
