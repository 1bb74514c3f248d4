import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Dispatcher, Pool } from 'undici';
// The package's index would load fetch, WebSocket and more: tens of milliseconds of every start.
import PoolConstructor from 'undici/lib/dispatcher/pool.js';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialOptions } from './dial.ts';
import { keepReadyConnections, type ReadyConnections } from './ready-connections.ts';
import { formatHost } from './target.ts';
import { unpauseAtEnd } from './unpause-at-end.ts';
import type { UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** Kept HTTP/1.1 connections to upstreams, a pool for each scheme, host and port. */
export type Http1Pools = AsyncDisposable & {
  /** `ready`: a connection to the destination for the request, or for the next one that needs one. */
  dispatch(destination: Destination, request: UpstreamRequest, options: { handler: UpstreamHandler; ready?: Socket | null }): void;
  /** Whether a request would find an open connection that has nothing to do. */
  hasFree(destination: Destination): boolean;
};

export function openHttp1Pools(dialOptions: DialOptions): Http1Pools {
  const kept = new Map<string, Kept>();
  const keptFor = (destination: Destination): Kept => {
    const origin = originOf(destination);
    const found = kept.get(origin) ?? createPool(origin, { destination, dialOptions });
    // Re-inserted last: the first is the one that was not used for longest.
    kept.delete(origin);
    kept.set(origin, found);
    if (kept.size > maxPools) closeOldest(kept);
    return found;
  };

  return {
    dispatch(destination, { method, path, headers, body, reset, upgrade }, { handler, ready = null }) {
      const { pool, connections } = keptFor(destination);
      if (dialOptions.signal.aborted) ready?.destroy();
      else if (ready !== null) connections.add(ready);
      pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body, reset, ...(upgrade && { upgrade }) }, handler);
    },
    hasFree: (destination) => (kept.get(originOf(destination))?.pool.stats.free ?? 0) > 0,
    async [Symbol.asyncDispose]() {
      for (const { connections } of kept.values()) connections[Symbol.dispose]();
      await Promise.allSettled([...kept.values()].map(({ pool }) => pool.destroy()));
      kept.clear();
    },
  };
}

type Kept = { pool: Pool; connections: ReadyConnections };

/** A rule like `**.example.com` allows any number of names; their idle pools must not pile up. */
const maxPools = 256;
/** Below the 5 s after which common servers close an idle connection: a request sent into a closing one is lost. */
const keepAliveMs = 4_000;
const maxHeaderBytes = 64 << 10;

function originOf(destination: Destination): string {
  return `${destination.scheme}://${formatHost(destination)}`;
}

function createPool(origin: string, { destination, dialOptions }: { destination: Destination; dialOptions: DialOptions }): Kept {
  const connections = keepReadyConnections(keepAliveMs);
  const pool = new PoolConstructor(origin, {
    // As many as there are requests under way, which the client's side bounds: one that waited here would wait for a stream to end.
    connections: null,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    maxHeaderSize: maxHeaderBytes,
    // Answers may take as long as they like (a model that thinks, a long poll): the run's own deadline bounds them.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_, callback) => {
      const ready = connections.take();
      // Never called back at once: undici would not notice.
      (ready === null ? dial(destination, dialOptions) : Promise.resolve(ready)).then(
        (socket) => {
          unpauseAtEnd(socket);
          callback(null, socket as TLSSocket);
        },
        (error: Error) => callback(error, null),
      );
    },
  });
  return { pool, connections };
}

function closeOldest(kept: Map<string, Kept>): void {
  const [origin, { pool, connections }] = kept.entries().next().value!;
  kept.delete(origin);
  connections[Symbol.dispose]();
  // Waits for the requests that run; nobody waits for it.
  pool.close().catch(() => undefined);
}
