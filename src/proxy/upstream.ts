import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Dispatcher, Pool } from 'undici';
// The package's index would load fetch, WebSocket and more: tens of milliseconds of every start.
import PoolConstructor from 'undici/lib/dispatcher/pool.js';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialDestination, type DialOptions } from './dial.ts';
import { formatHost } from './target.ts';

/** Kept-alive HTTP/1.1 connections to upstreams, one pool a scheme, host and port; and connections of another kind. */
export type Upstream = AsyncDisposable & {
  dispatch(destination: Destination, request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void;
  /** A connection of its own, for what is not request and answer. Who asked for it ends it. @throws DialError */
  connect(destination: DialDestination): Promise<Socket>;
};

export type UpstreamRequest = Pick<Dispatcher.DispatchOptions, 'path' | 'body' | 'upgrade'> & { method: string; headers: string[] };

export function openUpstream(options: Omit<DialOptions, 'signal'>): Upstream {
  const closing = new AbortController();
  // Every connection being opened listens.
  setMaxListeners(0, closing.signal);
  const pools = new Map<string, Pool>();
  const connections = new Set<Socket>();

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
      poolFor(destination).dispatch({ ...request, method: request.method as Dispatcher.HttpMethod }, handler);
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
      await Promise.allSettled([...pools.values()].map((pool) => pool.destroy()));
      pools.clear();
    },
  };
}

/** A rule like `**.example.com` allows any number of names; their idle pools must not pile up. */
const maxPools = 256;
const connectionsPerPool = 256;
/** Below the 5 s after which common servers close an idle connection: a request sent into a closing one is lost. */
const keepAliveMs = 4_000;
const maxHeaderBytes = 64 << 10;

function createPool(origin: string, { destination, dialOptions }: { destination: Destination; dialOptions: DialOptions }): Pool {
  return new PoolConstructor(origin, {
    connections: connectionsPerPool,
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
