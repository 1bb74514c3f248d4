import { connect, type ClientHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Destination } from '../policy/policy.ts';
import { dial, type DialOptions } from './dial.ts';
import type { Http1Pools } from './http1-pools.ts';
import { formatHost } from './target.ts';

/** A session to send one stream on. */
export type SessionLease = { session: ClientHttp2Session; /** when the stream is over */ release(): void };

/** The destination speaks HTTP/1.1 only. `ready`: a new connection, the caller's; null: one of the pool is free. */
export type Http1Only = { ready: TLSSocket | null };

/** Kept HTTP/2 connections to upstreams, a few for each destination. */
export type Http2Sessions = {
  /** @throws DialError */
  lease(destination: Destination): Promise<SessionLease | Http1Only>;
  close(): void;
};

/**
 * What a destination speaks is known from its last connection, and asked again with each new one, which is used whatever the answer is:
 * so a server may change, and no connection is opened only to ask.
 */
export function openHttp2Sessions(options: DialOptions, http1: Pick<Http1Pools, 'hasFree'>): Http2Sessions {
  const peers = new Map<string, Peer>();
  const peerOf = (destination: Destination): Peer => {
    const origin = formatHost(destination);
    const peer = peers.get(origin) ?? { sessions: new Set(), opening: null, isHttp1Only: false };
    // Re-inserted last: the first is the one that was not used for longest.
    peers.delete(origin);
    peers.set(origin, peer);
    if (peers.size > maxPeers) forgetOldest(peers);
    return peer;
  };
  return {
    async lease(destination) {
      const peer = peerOf(destination);
      for (;;) {
        const known = choose(peer);
        if (known !== null) return leaseOf(known);
        if (peer.isHttp1Only && http1.hasFree(destination)) return { ready: null };
        // One session may do for all that wait; connections that speak HTTP/1.1 are opened side by side.
        if (peer.opening !== null && !peer.isHttp1Only) {
          await peer.opening;
          continue;
        }
        const opening = open(peer, { destination, options });
        if (!peer.isHttp1Only) peer.opening = opening;
        const ready = await opening.finally(() => {
          if (peer.opening === opening) peer.opening = null;
        });
        if (ready !== null) return { ready };
      }
    },
    close() {
      for (const { sessions } of peers.values()) for (const { session } of sessions) session.destroy();
      peers.clear();
    },
  };
}

type Session = { session: ClientHttp2Session; socket: TLSSocket; streams: number; takesNoMore: boolean };
type Peer = { sessions: Set<Session>; opening: Promise<unknown> | null; isHttp1Only: boolean };

/** A rule like `**.example.com` allows any number of names. */
const maxPeers = 256;
/** Servers that mean more say so; beyond all of them nghttp2 lets streams wait. */
const maxStreamsPerSession = 100;
const maxSessionsPerPeer = 8;
/** Servers keep idle HTTP/2 connections for minutes, middleboxes for less. */
const idleMs = 30_000;
/**
 * What an upstream may send ahead on one stream and on all of a session. More would be faster over long distances, but all of it is
 * kept in memory while a client does not read, and a sandbox may leave thousands of answers unread.
 */
const streamWindowBytes = 256 << 10;
const sessionWindowBytes = 1 << 20;
const maxHeaderListBytes = 64 << 10;
/** No bound of its own: the most that header-bytes can let in, and room for the values put in the place of placeholders. */
const maxSentHeaderBytes = 4 << 20;

function leaseOf(session: Session): SessionLease {
  session.streams += 1;
  return {
    session: session.session,
    release() {
      session.streams -= 1;
      if (session.takesNoMore && session.streams === 0) hangUp(session);
    },
  };
}

/** The first session with room; null where another one should be opened. */
function choose({ sessions }: Peer): Session | null {
  let emptiest: Session | null = null;
  for (const candidate of sessions) {
    if (candidate.streams < roomOf(candidate.session)) return candidate;
    if (emptiest === null || candidate.streams < emptiest.streams) emptiest = candidate;
  }
  return sessions.size < maxSessionsPerPeer ? null : emptiest;
}

function roomOf({ remoteSettings }: ClientHttp2Session): number {
  // A server that allows none for now lets streams wait.
  return Math.max(1, Math.min(remoteSettings.maxConcurrentStreams ?? maxStreamsPerSession, maxStreamsPerSession));
}

/** Opens a session, or, where the destination speaks HTTP/1.1 only, a connection for that. */
async function open(peer: Peer, { destination, options }: { destination: Destination; options: DialOptions }): Promise<TLSSocket | null> {
  const socket = await dial(destination, { ...options, protocols: ['h2', 'http/1.1'] }) as TLSSocket;
  peer.isHttp1Only = socket.alpnProtocol !== 'h2';
  if (peer.isHttp1Only) return socket;
  const session = connect(`https://${formatHost(destination)}`, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize: maxHeaderListBytes },
    maxHeaderListPairs: maxHeaderListBytes / 32,
    maxSendHeaderBlockLength: maxSentHeaderBytes,
    maxSessionMemory: maxSessionMegabytes,
  });
  keep(peer, { session, socket, streams: 0, takesNoMore: false });
  return null;
}

/** Each header counts for 32 bytes at least (RFC 9113, 6.5.2); the number of them needs no bound of its own. Default 10, for smaller windows. */
const maxSessionMegabytes = 32;

/** Keeps the session among those to use until it, or its server, wants no more streams. */
function keep(peer: Peer, kept: Session): void {
  const { session } = kept;
  const drop = () => peer.sessions.delete(kept);
  const dropAndRetire = () => {
    drop();
    retire(kept);
  };
  peer.sessions.add(kept);
  session.setLocalWindowSize(sessionWindowBytes);
  session.on('goaway', dropAndRetire);
  session.on('close', drop);
  // Its streams tell what it means for each of them.
  session.on('error', drop);
  session.setTimeout(idleMs);
  // Not as its callback, which is called once only: the first time may pass while an answer takes long.
  session.on('timeout', () => {
    if (kept.streams === 0) dropAndRetire();
  });
}

/** Lets the streams that run come to their end, and then closes the connection, which its server may want to keep open. */
function retire(kept: Session): void {
  kept.takesNoMore = true;
  kept.session.close();
  if (kept.streams === 0) hangUp(kept);
}

/** Node ends its own side only, and waits for the other one. */
function hangUp({ socket }: Session): void {
  const timer = setTimeout(() => socket.destroy(), hangUpMs);
  socket.once('close', () => clearTimeout(timer));
}

/** For what was written last to leave. */
const hangUpMs = 1_000;

function forgetOldest(peers: Map<string, Peer>): void {
  const [origin, peer] = peers.entries().next().value!;
  peers.delete(origin);
  for (const kept of peer.sessions) retire(kept);
}
