import http from 'node:http';
import { isIP, type Socket } from 'node:net';
import type tls from 'node:tls';
import { connectFirst } from './connect-first.ts';
import type { DialDestination } from './dial-destination.ts';
import { DialError } from './dial-error.ts';
import type { RouteOptions } from './find-route.ts';
import type { OpenConnections } from './open-connections.ts';
import { secure } from './secure.ts';
import type { UpstreamProxy } from './upstream-proxy.ts';

export type TunnelOptions = Pick<RouteOptions, 'resolveName'> & {
  proxy: UpstreamProxy;
  /** for a proxy that speaks TLS itself */
  contextFor(host: null): Promise<tls.SecureContext>;
  timeouts: { attemptMs: number; handshakeMs: number; tunnelMs: number };
  unusableRoots?: readonly string[] | undefined;
  signal: AbortSignal;
  /** where the one to the proxy is kept */
  connections: OpenConnections;
};

/**
 * Connects to a destination by CONNECT (RFC 9110, 9.3.6), for plain HTTP as well: its credentials so never stand in a request that the
 * sandbox had a part in, which a proxy may send back, in an error page (CVE-2025-62168) or as the answer to TRACE.
 * The proxy itself may be anywhere, on a private address too: whoever set the variable chose it.
 * @throws DialError
 */
export async function openTunnel(destination: DialDestination, options: TunnelOptions): Promise<Socket> {
  const { proxy, signal, timeouts, connections } = options;
  const context = proxy.scheme === 'https' ? await options.contextFor(null) : null;
  const unreachable = (code: string) => new DialError('upstream-proxy',
    `The proxy ${describe(proxy)} cannot be reached (${code}); check it, or name "${destination.host}" in NO_PROXY.`);
  const addresses = isIP(proxy.host) === 0
    ? await options.resolveName(proxy.host).catch((error: NodeJS.ErrnoException) => { throw unreachable(error.code ?? 'unknown error'); })
    : [proxy.host];
  const candidates = addresses.map((address) => ({ address, port: proxy.port }));
  const socket = await connectFirst(candidates, { attemptMs: timeouts.attemptMs, signal, connections, explain: unreachable });
  const carrier = context === null ? socket
    : await secure(socket, { host: proxy.host, port: proxy.port, context, signal, handshakeMs: timeouts.handshakeMs, reason: 'upstream-proxy', unusableRoots: options.unusableRoots });
  return await askFor(destination, { proxy, carrier, signal, timeouts });
}

type AskOptions = Pick<TunnelOptions, 'proxy' | 'signal' | 'timeouts'> & { carrier: Socket };

function askFor({ host, port }: DialDestination, { proxy, carrier, signal, timeouts }: AskOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Proxies are asked for names only: no brackets are needed.
    const authority = `${host}:${port}`;
    const request = http.request({
      method: 'CONNECT', path: authority, createConnection: () => carrier, maxHeaderSize: maxHeaderBytes,
      headers: { host: authority, connection: 'keep-alive', ...(proxy.authorization === null ? {} : { 'proxy-authorization': proxy.authorization }) },
    });
    const settle = (error: DialError | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (error === null) return resolve(carrier);
      carrier.destroy();
      reject(error);
    };
    // Not the error's message: it could hold what the proxy sent.
    const fail = (code: string | undefined) => settle(new DialError('upstream-proxy',
      `The proxy ${describe(proxy)} gave no answer to CONNECT (${code ?? 'unknown error'}); check that it is an HTTP proxy.`));
    const abort = () => fail('ABORTED');
    const timer = setTimeout(() => fail('ETIMEDOUT'), timeouts.tunnelMs);
    signal.addEventListener('abort', abort);
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code));
    request.once('connect', ({ statusCode = 0 }, _, head) => {
      if (statusCode < 200 || statusCode > 299) return settle(explainStatus(statusCode, { proxy, authority, host }));
      if (head.length > 0) carrier.unshift(head);
      settle(null);
    });
    request.end();
  });
}

const maxHeaderBytes = 64 << 10;

function explainStatus(status: number, { proxy, authority, host }: { proxy: UpstreamProxy; authority: string; host: string }): DialError {
  if (status === 407) {
    const [what, remedy] = proxy.authorization === null
      ? ['asks for a user name and password', `write them into ${proxy.variable}, before the host and an "@"`]
      : ['does not accept the user name and password it was given', `correct them in ${proxy.variable}, percent-encoded`];
    return new DialError('upstream-proxy', `The proxy ${describe(proxy)} ${what} (407); ${remedy}.`);
  }
  // RFC 9110, 15.6: the gateway has failed, or what stands behind it.
  if (status >= 500) return new DialError('upstream-unreachable', `The proxy ${describe(proxy)} could not connect to "${authority}" (${status}); check the name, and that it is up and reachable from there.`);
  return new DialError('upstream-proxy', `The proxy ${describe(proxy)} refuses CONNECT to "${authority}" (${status}); have it allowed there, or name "${host}" in NO_PROXY.`);
}

function describe({ variable, scheme, host, port }: UpstreamProxy): string {
  return `"${scheme}://${isIP(host) === 6 ? `[${host}]` : host}:${port}" of ${variable}`;
}
