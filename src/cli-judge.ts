import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { isForbiddenAddress, isOwnAddress } from './policy/address-check.ts';
import type { Endpoint, ResolveEntry, Verdict } from './policy/policy.ts';
import { quote } from './policy/quote.ts';
import { unsupportedConnect } from './proxy/http2-misuse.ts';

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

/** What a run would refuse of a method before it asks any rule: it is compared as it is written (RFC 9110 section 9.1). Null where it is one of HTTP. */
export function judgeMethod(method: string): Verdict | null {
  if (method === 'CONNECT') return { allowed: false, reason: unsupportedConnect.reason, remedy: unsupportedConnect.remedy };
  if (METHODS.includes(method)) return null;
  const upper = method.toUpperCase();
  const remedy = METHODS.includes(upper)
    ? `methods are case-sensitive, and ${quote(method)} is not ${quote(upper)}: send ${quote(upper)}`
    : `${quote(method)} is not a method of HTTP: send one such as \`GET\` or \`POST\``;
  return { allowed: false, reason: 'bad-request', remedy };
}
