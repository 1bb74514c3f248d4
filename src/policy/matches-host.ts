import type { HostPattern } from './policy.ts';
import { isHostName } from './normalise-host.ts';

/** Whether a pattern covers a normalised host. For one pattern; a whole policy is looked up by `compilePolicy`. */
export function matchesHost(pattern: HostPattern, host: string): boolean {
  if (pattern.kind === 'exact' || pattern.kind === 'address') return host === pattern.name;
  if (!host.endsWith(`.${pattern.name}`) || !isHostName(host)) return false;
  return pattern.kind === 'any-depth' || !host.slice(0, -pattern.name.length - 1).includes('.');
}
