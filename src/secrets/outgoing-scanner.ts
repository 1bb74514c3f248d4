import type { Needles } from './compile-needles.ts';
import type { Seen } from './outgoing-needles.ts';
import { ANY_FIELD, refuseSeen } from './refuse-seen.ts';
import type { ScannedDestination, SecretRefusal } from './refuse-seen.ts';
import { createDetector } from './stream-scanner.ts';

/**
 * One per request body, trailers, stream of messages or raw connection. It holds nothing back: pass a chunk on when `push` returns null; on a
 * refusal pass on neither that chunk nor anything after it, so that the last byte of the secret is never sent.
 */
export type OutgoingScanner = { push(chunk: Buffer): SecretRefusal | null };

export function createOutgoingScanner(needles: Needles<Seen>, { destination, method = 'POST', place = 'body' }: { destination: ScannedDestination; method?: string; place?: string }): OutgoingScanner {
  const detector = createDetector(needles);
  return {
    push(chunk) {
      const seen = detector.push(chunk);
      return seen && refuseSeen(seen, { destination, method, place, pin: place === 'body' ? ANY_FIELD : null });
    },
  };
}
