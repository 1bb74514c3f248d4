import type { HostPattern } from './policy.ts';
import { matchesHost } from './matches-host.ts';

/** Whether every host that `narrow` covers is covered by `wide`, too. */
export function coversPattern(wide: HostPattern, narrow: HostPattern): boolean {
  if (narrow.kind === 'exact' || narrow.kind === 'address') return matchesHost(wide, narrow.name);
  if (wide.kind === 'any-depth') return narrow.name === wide.name || narrow.name.endsWith(`.${wide.name}`);
  return wide.kind === narrow.kind && wide.name === narrow.name;
}
