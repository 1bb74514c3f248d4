import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialOptions } from './dial.ts';
import type { DialDestination } from './dial-destination.ts';
import type { RawHeaders } from './headers.ts';
import { openHttp1Pools } from './http1-pools.ts';
import { openHttp2Sessions } from './http2-sessions.ts';
import { dispatchHttp2 } from './http2-upstream.ts';
import { keepOpenConnections } from './open-connections.ts';
import { openTlsSessions } from './tls-sessions.ts';

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

export function openUpstream(options: Omit<DialOptions, 'signal' | 'sessions' | 'connections'>): Upstream {
  const closing = new AbortController();
  // Every connection being opened listens.
  setMaxListeners(0, closing.signal);
  const connections = keepOpenConnections();
  const dialOptions: DialOptions = { ...options, sessions: openTlsSessions(), signal: closing.signal, connections };
  const http1 = openHttp1Pools(dialOptions);
  const sessions = openHttp2Sessions(dialOptions, http1);

  return {
    dispatch(destination, request, handler) {
      const overHttp1 = (ready: Socket | null) => http1.dispatch(destination, request, { handler, ready });
      if (!request.mayUseHttp2 || destination.scheme !== 'https') return overHttp1(null);
      dispatchHttp2(sessions, { destination, request, handler, overHttp1 });
    },
    connect: (destination) => dial(destination, dialOptions),
    async [Symbol.asyncDispose]() {
      closing.abort();
      sessions.close();
      const closed = http1[Symbol.asyncDispose]();
      connections[Symbol.dispose]();
      await closed;
    },
  };
}
