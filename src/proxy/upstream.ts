import { setMaxListeners } from 'node:events';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Dispatcher, Pool } from 'undici';
// The package's index would load fetch, WebSocket and more: tens of milliseconds of every start.
import PoolConstructor from 'undici/lib/dispatcher/pool.js';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialOptions } from './dial.ts';
import { formatHost } from './target.ts';

/** Kept-alive HTTP/1.1 connections to upstreams, one pool a scheme, host and port. */
export type Upstream = AsyncDisposable & {
  dispatch(destination: Destination, request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void;
};

export type UpstreamRequest = Pick<Dispatcher.DispatchOptions, 'path' | 'body' | 'reset'> & { method: string; headers: string[] };

/** `contextFor`: what a host's certificate is verified with */
export type UpstreamOptions = Omit<DialOptions, 'signal' | 'context'> & { contextFor(host: string): SecureContext };

export function openUpstream({ contextFor, ...options }: UpstreamOptions): Upstream {
  const closing = new AbortController();
  // Every connection being opened listens.
  setMaxListeners(0, closing.signal);
  const pools = new Map<string, Pool>();

  const poolFor = (destination: Destination): Pool => {
    const origin = `${destination.scheme}://${formatHost(destination)}`;
    const pool = pools.get(origin) ?? createPool(origin, { destination, dialOptions: { ...options, context: contextFor(destination.host), signal: closing.signal } });
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
    async [Symbol.asyncDispose]() {
      closing.abort();
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
