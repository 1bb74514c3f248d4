import type { Needles } from './compile-needles.ts';
import type { Seen } from './outgoing-needles.ts';
import { parseContentType } from './parse-content-type.ts';
import { ANY_FIELD, refuseSeen } from './refuse-seen.ts';
import type { ScannedDestination, SecretRefusal } from './refuse-seen.ts';
import { createDetector, type PushOptions } from './stream-scanner.ts';

/**
 * One per request body, trailers, stream of messages or raw connection. It holds nothing back: pass a chunk on when `push` returns null; on a
 * refusal pass on neither that chunk nor anything after it, so that the last byte of the secret is never sent.
 */
export type OutgoingScanner = { push(chunk: Buffer, options?: PushOptions): SecretRefusal | null };

export type ScannedOptions = {
  destination: ScannedDestination;
  method?: string;
  /** what a refusal calls it: `body` unless given */
  place?: string;
  /** of a body: its Content-Type, null where it has none */
  contentType?: string | null;
};

export function createOutgoingScanner(needles: Needles<Seen>, { destination, method = 'POST', place = 'body', contentType }: ScannedOptions): OutgoingScanner {
  const detector = createDetector(needles);
  const bodyKind = contentType === undefined ? null : parseContentType(contentType).kind;
  return {
    push(chunk, options) {
      const seen = detector.push(chunk, options);
      return seen && refuseSeen(seen, { destination, method, place, pin: place === 'body' ? ANY_FIELD : null, bodyKind });
    },
  };
}
