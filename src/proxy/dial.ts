import type { Socket } from 'node:net';
import type tls from 'node:tls';
import { connectFirst } from './connect-first.ts';
import type { DialDestination } from './dial-destination.ts';
import { DialError } from './dial-error.ts';
import { findRoute, type RouteOptions } from './find-route.ts';
import type { OpenConnections } from './open-connections.ts';
import { openTunnel } from './open-tunnel.ts';
import { secure } from './secure.ts';
import type { TlsSessions } from './tls-sessions.ts';

export { DialError } from './dial-error.ts';

export type DialOptions = RouteOptions & {
  /** what the TLS of a host is verified with, and what it is shown; null: of the host's own proxy */
  contextFor(host: string | null): Promise<tls.SecureContext>;
  sessions: TlsSessions;
  /** what to offer by ALPN; HTTP/1.1 alone unless given */
  protocols?: readonly string[];
  timeouts: DialTimeouts;
  /** variables that name a file of roots which cannot be used: said where a certificate is not trusted */
  unusableRoots?: readonly string[] | undefined;
  signal: AbortSignal;
  /** where each is kept until it is closed */
  connections: OpenConnections;
};

export type DialTimeouts = {
  /** for one address to answer */
  attemptMs: number;
  handshakeMs: number;
  /** for the host's own proxy to answer CONNECT: it connects to the upstream meanwhile */
  tunnelMs: number;
};

export const defaultDialTimeouts: DialTimeouts = { attemptMs: 10_000, handshakeMs: 15_000, tunnelMs: 30_000 };

/**
 * Opens a verified connection to the destination, through the host's own proxy where there is one; its TLS is then inside the tunnel,
 * so the proxy sees the name and nothing more.
 * @throws DialError
 */
export async function dial(destination: DialDestination, options: DialOptions): Promise<Socket> {
  const { host, port, scheme } = destination;
  const { timeouts: { attemptMs, handshakeMs }, signal, sessions, connections } = options;
  const route = await findRoute(destination, options);
  // Before connecting: a connection that waits for files to be read could fail with nobody listening.
  const context = scheme === 'https' ? await options.contextFor(host) : null;
  const explain = (code: string) => new DialError('upstream-unreachable',
    `Connecting to "${host}:${port}" failed (${code}); check that it is up and reachable from this host.`);
  const socket = 'proxy' in route
    ? await openTunnel(destination, { ...options, proxy: route.proxy })
    : await connectFirst(route.candidates, { attemptMs, signal, connections, explain });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, tcpKeepAliveMs);
  return context === null ? socket : await secure(socket, { host, port, context, sessions, signal, handshakeMs, reason: 'upstream-tls', unusableRoots: options.unusableRoots, ...(options.protocols && { protocols: options.protocols }) });
}

const tcpKeepAliveMs = 30_000;
