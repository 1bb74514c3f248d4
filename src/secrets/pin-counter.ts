import type { Place } from './place.ts';
import { DEFAULT_PINS } from './place.ts';
import type { Secret } from './secret.ts';

export type SecretUses = readonly { name: string; substitutions: number }[];

/** Counts what is put into one request, by secret and place. */
export type PinCounter = {
  /** false: once more than the secret's `max` allows there */
  take(secret: Secret, place: Place): boolean;
  uses(): SecretUses;
};

export function createPinCounter(): PinCounter {
  const counts = new Map<Secret, Map<string, number>>();
  return {
    take(secret, { text }) {
      const places = counts.get(secret) ?? new Map<string, number>();
      counts.set(secret, places);
      const count = (places.get(text) ?? 0) + 1;
      if (count > pinsOf(secret).max) return false;
      places.set(text, count);
      return true;
    },
    uses: () => [...counts].map(([{ name }, places]) => ({ name, substitutions: [...places.values()].reduce((sum, count) => sum + count, 0) })),
  };
}

export function pinsOf(secret: Secret): typeof DEFAULT_PINS {
  return secret.pins ?? DEFAULT_PINS;
}
