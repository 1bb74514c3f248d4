import type { Destination } from '../policy/policy.ts';
import { pinsOf, type PinCounter } from './pin-counter.ts';
import type { Place } from './place.ts';
import { isBound, refuseRepeated, refuseSeen } from './refuse-seen.ts';
import type { Secret } from './secret.ts';
import type { Span } from './span.ts';
import type { Decision } from './swapper.ts';
import { writeValue, type Writing } from './write-value.ts';

export type SwapContext = {
  request: { destination: Destination; method: string };
  counter: PinCounter;
  isPlace(place: Place): boolean;
  writing: Writing;
  /** what a refusal calls the place */
  place: string;
};

/** Whether a placeholder that stands where `isPlace` says becomes the real value. */
export function decideSwap({ request, counter, isPlace, writing, place }: SwapContext): (secret: Secret, found: Span) => Decision {
  return (secret) => {
    const pin = isBound(secret, request.destination.host) ? pinsOf(secret).places.find(isPlace) : undefined;
    if (pin === undefined) return { kind: 'leave' };
    const refusal = refuseSeen({ secret, kind: 'placeholder', encoding: 'raw' }, { ...request, place, swappable: true });
    if (refusal !== null) return { kind: 'refuse', refusal };
    if (!counter.take(secret, pin)) return { kind: 'refuse', refusal: refuseRepeated(secret, { place, pin: pin.text }) };
    return { kind: 'swap', text: Buffer.from(writeValue(secret.value, writing), 'latin1') };
  };
}
