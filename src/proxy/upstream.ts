import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Dispatcher, Pool } from 'undici';
// The package's index would load fetch, WebSocket and more: tens of milliseconds of every start.
import PoolConstructor from 'undici/lib/dispatcher/pool.js';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialOptions } from './dial.ts';
import type { DialDestination } from './dial-destination.ts';
import type { RawHeaders } from './headers.ts';
import { openHttp2Sessions } from './http2-sessions.ts';
import { dispatchHttp2 } from './http2-upstream.ts';
import { formatHost } from './target.ts';

/**
 * Kept-alive connections to upstreams: over HTTP/1.1 one pool a scheme, host and port; over HTTP/2, for requests that came so
 * and where the upstream speaks it, a few sessions. And connections of another kind.
 */
export type Upstream = AsyncDisposable & {
  dispatch(destination: Destination, request: UpstreamRequest, handler: UpstreamHandler): void;
  /** A connection of its own, for what is not request and answer. Who asked for it ends it. @throws DialError */
  connect(destination: DialDestination): Promise<Socket>;
};

export type UpstreamRequest = {
  method: string;
  path: string;
  headers: string[];
  body: Readable | null;
  /** asked for when the body has ended; they are sent over HTTP/2 only */
  trailers(): RawHeaders;
  mayUseHttp2: boolean;
  /** over HTTP/1.1, the connection carries nothing after it */
  reset: boolean;
  /** what the connection is to be switched to; HTTP/1.1 only */
  upgrade?: 'websocket';
};

/** undici's events, in its order. */
export type UpstreamHandler = {
  onConnect(abort: (error?: Error) => void): void;
  /** instead of the four below, where the connection was switched */
  onUpgrade?(status: number, headers: readonly (Buffer | string)[] | null, socket: Duplex): void;
  /** `isWhole`: nothing follows, not even trailers. false: pause until `resume` */
  onHeaders(status: number, headers: readonly (Buffer | string)[], resume: () => void, statusText: string, isWhole?: boolean): boolean;
  onData(chunk: Buffer): boolean;
  onComplete(trailers: readonly (Buffer | string)[] | null): void;
  onError(error: Error): void;
};

export function openUpstream(options: Omit<DialOptions, 'signal'>): Upstream {
  const closing = new AbortController();
  // Every connection being opened listens.
  setMaxListeners(0, closing.signal);
  const pools = new Map<string, Pool>();
  const connections = new Set<Socket>();
  const sessions = openHttp2Sessions({ ...options, signal: closing.signal });

  const poolFor = (destination: Destination): Pool => {
    const origin = `${destination.scheme}://${formatHost(destination)}`;
    const pool = pools.get(origin) ?? createPool(origin, { destination, dialOptions: { ...options, signal: closing.signal } });
    // Re-inserted last: the first is the one that was not used for longest.
    pools.delete(origin);
    pools.set(origin, pool);
    if (pools.size > maxPools) closeOldest(pools);
    return pool;
  };

  return {
    dispatch(destination, request, handler) {
      const { method, path, headers, body, reset, upgrade } = request;
      const overHttp1 = () => void poolFor(destination).dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body, reset, ...(upgrade && { upgrade }) }, handler);
      if (!request.mayUseHttp2 || destination.scheme !== 'https') return overHttp1();
      dispatchHttp2(sessions, { destination, request, handler, overHttp1 });
    },
    async connect(destination) {
      const socket = await dial(destination, { ...options, signal: closing.signal });
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      return socket;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      for (const socket of connections) socket.destroy();
      sessions.close();
      await Promise.allSettled([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

/** A rule like `**.example.com` allows any number of names; their idle pools must not pile up. */
const maxPools = 256;
/** Below the 5 s after which common servers close an idle connection: a request sent into a closing one is lost. */
const keepAliveMs = 4_000;
const maxHeaderBytes = 64 << 10;

function createPool(origin: string, { destination, dialOptions }: { destination: Destination; dialOptions: DialOptions }): Pool {
  return new PoolConstructor(origin, {
    // As many as there are requests under way, which the client's side bounds: one that waited here would wait for a stream to end.
    connections: null,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    // Answers may take as long as they like (a model that thinks, a long poll): the run's own deadline bounds them.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_, callback) => {
      dial(destination, dialOptions).then(
        (socket) => callback(null, socket as TLSSocket),
        (error: Error) => callback(error, null),
      );
    },
  });
}

function closeOldest(pools: Map<string, Pool>): void {
  const [origin, pool] = pools.entries().next().value!;
  pools.delete(origin);
  // Waits for the requests that run; nobody waits for it.
  pool.close().catch(() => undefined);
}
