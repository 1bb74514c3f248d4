import { isIP } from 'node:net';
import { isForbiddenAddress, isOwnAddress } from './policy/address-check.ts';
import type { Endpoint, ResolveEntry, Verdict } from './policy/policy.ts';
import { quote } from './policy/quote.ts';

/**
 * What a run would refuse behind an allowed host without asking DNS: an address that is private, or this machine's own, and that
 * `resolve` does not name. Null where there is nothing to refuse, or only a look-up could tell.
 */
export function judgeDestination(
  { host, port }: Endpoint,
  { resolve, ownAddresses }: { resolve: readonly ResolveEntry[]; ownAddresses: readonly string[] },
): Verdict | null {
  if (isIP(host) === 0 || resolve.some((entry) => entry.host === host && entry.port === port)) return null;
  const range = isOwnAddress(host, ownAddresses) ? 'own' : isForbiddenAddress(host);
  if (range === null) return null;
  const kind = range === 'own' ? 'this machine\'s own' : `one that is never dialled (${range})`;
  return { allowed: false, reason: 'private-address', remedy: `${quote(host)} is ${kind}: add ${quote(`${host}:${port}:${host}`)} to resolve to reach it nevertheless` };
}
