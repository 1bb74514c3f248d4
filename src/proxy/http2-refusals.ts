import { setImmediate } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import type { ServerHttp2Session } from 'node:http2';

/** Finds what nghttp2 refused by itself, which Node gives no event for. */
export type Http2Refusals = {
  /** Tells of a request that came through, by the number of its stream. */
  saw(streamId: number): void;
  /** Looks for requests that were refused since the last one that came through. Before the session is destroyed: it knows nothing afterwards. */
  look(): void;
  /**
   * Whether nghttp2 has said GOAWAY because of an error: it reads and sends nothing any more, while the session and its streams stay open.
   * Asked only where nothing waits for the client to read it: that looks the same.
   */
  isOver(): Promise<boolean>;
};

/**
 * A request that nghttp2 refuses has used up its number, which no request comes with. `onRefused` is called once for those in a row, and
 * at most `maxTold` times for a session, so that nobody can fill the audit log.
 */
export function watchHttp2Refusals(session: ServerHttp2Session, { socket, onRefused }: { socket: Duplex & { bytesWritten?: number }; onRefused(): void }): Http2Refusals {
  let lastId = 0;
  let told = 0;
  const accountFor = (streamId: number, isRefused: boolean) => {
    lastId = streamId;
    if (!isRefused || told >= maxTold) return;
    told += 1;
    onRefused();
  };
  const look = () => {
    const begunId = session.destroyed ? 0 : (session.state.lastProcStreamID ?? 0);
    if (begunId > lastId) accountFor(begunId, true);
  };
  // Before Node's own listeners, which destroy the session.
  session.on('goaway', look);
  socket.prependListener('close', look);
  return {
    saw: (streamId) => accountFor(streamId, streamId > (lastId === 0 ? highestFirstId : lastId + 2)),
    look,
    async isOver() {
      if (session.destroyed) return false;
      const sentBytes = socket.bytesWritten;
      if (!session.ping(() => undefined)) return false;
      // It is sent in the next turn.
      await setImmediate();
      await setImmediate();
      return !session.destroyed && socket.bytesWritten === sentBytes;
    },
  };
}

const maxTold = 20;
/** Firefox, OkHttp and Netty, and with it gRPC for Java, leave out 1, which is a request's that asked to go on in HTTP/2 (RFC 9113, 5.1.1). */
const highestFirstId = 3;
