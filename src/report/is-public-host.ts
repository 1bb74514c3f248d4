import { isIPv4, isIPv6 } from 'node:net';
import { isForbiddenAddress } from '../policy/address-check.ts';
import { isHostName } from '../policy/normalise-host.ts';

/** A public IPv4 address, or a name with a dot: one without is mostly a service of a network the sandbox is not in. */
export function isPublicHost(host: string): boolean {
  if (isIPv4(host)) return isForbiddenAddress(host) === null;
  return isHostName(host) && host.includes('.') && !isIPv6(host);
}
