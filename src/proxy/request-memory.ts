import type { BodySubstitution } from '../secrets/compile-secrets.ts';
import { decoderBytes, encoderBytes } from './decoder-memory.ts';
import type { Exchange } from './exchange.ts';
import { headerListBytes } from './header-limit.ts';
import type { Reservation } from './memory-budget.ts';

/** What a request holds: by itself until its answer is over, and for its coded body until that is. */
export type RequestMemory = { coded: Reservation | null };

/**
 * Reserves it; null where there is no room. Whoever opens the coded body, or does not, releases that part.
 */
export function reserveRequest({ request, answer, context: { memory, secrets } }: Exchange, { coding, pinned }: { coding: string | null; pinned: BodySubstitution | null }): RequestMemory | null {
  const whole = memory.reserve(streamBytes + headerCopies * headerListBytes(request.rawHeaders));
  if (whole === null) return null;
  answer.onClosed(() => whole.release());
  if (coding === null || secrets.list.length === 0) return { coded: null };
  const coded = memory.reserve(decoderBytes(coding) + (pinned === null ? 0 : encoderBytes(coding)));
  return coded === null ? null : { coded };
}

/** Measured: an idle stream takes 25 KiB of JavaScript's heap, and a part in its connections' buffers. */
const streamBytes = 48 << 10;
/** Measured: as read, as judged, as written, and as HTTP/2 keeps it until it is sent. */
const headerCopies = 6;
