import { isIP } from 'node:net';
import { isForbiddenAddress, isOwnAddress } from '../policy/address-check.ts';
import type { ResolveEntry } from '../policy/policy.ts';
import type { Candidate } from './connect-first.ts';
import type { DialDestination } from './dial-destination.ts';
import { DialError } from './dial-error.ts';
import { proxyFor, type UpstreamProxies, type UpstreamProxy } from './upstream-proxy.ts';

/** How a destination is reached: at one of these addresses, or by asking the host's own proxy for it. */
export type Route = { candidates: Candidate[] } | { proxy: UpstreamProxy };

export type RouteOptions = {
  resolve: readonly ResolveEntry[];
  ownAddresses: readonly string[];
  upstreamProxies: UpstreamProxies | null;
  /** every address of a name; rejects where it has none */
  resolveName(host: string): Promise<string[]>;
};

/**
 * Finds the addresses to dial, all of them checked. They are dialled as they are: the name is not resolved a second time, so a name
 * that changes its address in between (DNS rebinding) gains nothing.
 *
 * A proxy is asked by name, because proxies of companies filter by name, and resolves that name itself. So there a name that leads to
 * a forbidden address as well as to others is refused: which of them is dialled is not decided here. A name unknown here is
 * the proxy's to judge: in a closed network only the proxy can resolve it.
 * @throws DialError
 */
export async function findRoute(destination: DialDestination, options: RouteOptions): Promise<Route> {
  const { host, port } = destination;
  const named = options.resolve.filter((entry) => entry.host === host && entry.port === port);
  if (named.length > 0) return { candidates: named.map((entry) => ({ address: entry.address, port: entry.addressPort })) };

  const isAddress = isIP(host) !== 0;
  const proxy = isAddress || options.upstreamProxies === null ? null : proxyFor(destination, options.upstreamProxies);
  const addresses = isAddress ? [host] : await lookUp(host, { ...options, isNeeded: proxy === null });
  const allowed = addresses.filter((address) => isForbiddenAddress(address) === null && !isOwnAddress(address, options.ownAddresses));
  if (proxy !== null && allowed.length === addresses.length) return { proxy };
  if (proxy === null && allowed.length > 0) return { candidates: allowed.map((address) => ({ address, port })) };
  const where = allowed.length > 0 ? 'a private address or to this host, too, and the proxy would choose' : 'a private address or to this host only';
  throw new DialError('private-address', `"${host}" leads to ${where}; add "${host}:${port}:ADDRESS" to resolve to reach it nevertheless.`);
}

async function lookUp(host: string, { resolveName, isNeeded }: Pick<RouteOptions, 'resolveName'> & { isNeeded: boolean }): Promise<string[]> {
  try {
    return await resolveName(host);
  } catch (error) {
    if (!isNeeded) return [];
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new DialError('name-does-not-resolve', `"${host}" does not resolve on this host (${code}); check the name.`);
  }
}
