import { chainScrubbers } from '../secrets/chain-scrubbers.ts';
import type { ResponseScrubber } from '../secrets/compile-secrets.ts';
import type { Exchange } from './exchange.ts';

/** For the answer of this request; null where it is passed on untouched. */
export function answerScrubber({ context: { secrets }, destination, signatures }: Pick<Exchange, 'context' | 'destination' | 'signatures'>): ResponseScrubber | null {
  const ofSecrets = secrets.scrubberFor(destination.host);
  return ofSecrets === null || signatures === undefined ? ofSecrets : chainScrubbers(ofSecrets, signatures);
}
