import type { HostPattern } from '../policy/policy.ts';
import type { Pins } from './place.ts';

/** A secret as the user bound it. `value` is the real one: it never leaves the host process. */
export type SecretBinding = {
  name: string;
  hosts: readonly HostPattern[];
  hostTexts: readonly string[];
  value: string;
  /** where it is swapped; absent: in credential headers */
  pins?: Pins;
};

/** A binding with the placeholder minted for this run. */
export type Secret = SecretBinding & {
  placeholder: string;
  /** the vendor prefix the placeholder kept (`sk-`, `ghp_`, …), nothing where the value has none, or `DECOY_` */
  placeholderPrefix: string;
};
