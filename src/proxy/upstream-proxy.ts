import type { DialDestination } from './dial-destination.ts';
import { isNamedIn } from './is-named-in.ts';

/** A proxy that connections to upstreams have to go through, as the host's environment names it. */
export type UpstreamProxy = {
  /** the variable that names it, for messages */
  variable: string;
  scheme: 'http' | 'https';
  /** lower-case name or IP literal without brackets */
  host: string;
  port: number;
  /** value of Proxy-Authorization; in no message, log or report */
  authorization: string | null;
};

export type UpstreamProxies = {
  https: UpstreamProxy | null;
  http: UpstreamProxy | null;
  /** NO_PROXY as it was written: names that are connected to directly */
  noProxy: string;
};

/** The proxy on the way to a destination, which is a name: addresses are never asked of a proxy. */
export function proxyFor(destination: DialDestination, proxies: UpstreamProxies): UpstreamProxy | null {
  // A raw connection is asked for as one with TLS is: what is in it is not the proxy's to read.
  const proxy = destination.scheme === 'http' ? proxies.http : proxies.https;
  return proxy === null || isNamedIn(proxies.noProxy, destination) ? null : proxy;
}
