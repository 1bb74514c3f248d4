import type { Socket } from 'node:net';

/** Connections that are open and verified, and that no request was sent on yet. */
export type ReadyConnections = Disposable & {
  add(socket: Socket): void;
  /** The oldest that is still good, which is the caller's then; null where there is none. */
  take(): Socket | null;
};

/** Each is closed when nobody has taken it within `keepMs`. */
export function keepReadyConnections(keepMs: number): ReadyConnections {
  const timers = new Map<Socket, NodeJS.Timeout>();
  const forget = (socket: Socket) => {
    clearTimeout(timers.get(socket));
    timers.delete(socket);
  };
  return {
    add(socket) {
      // Stays: an error may come just as the connection is handed on.
      socket.on('error', () => undefined);
      socket.once('close', () => forget(socket));
      timers.set(socket, setTimeout(() => socket.destroy(), keepMs));
    },
    take() {
      for (const socket of timers.keys()) {
        forget(socket);
        // Its end may have come, although it is not closed yet.
        if (!socket.destroyed && !socket.readableEnded && socket.writable) return socket;
        socket.destroy();
      }
      return null;
    },
    [Symbol.dispose]() {
      for (const socket of timers.keys()) {
        forget(socket);
        socket.destroy();
      }
    },
  };
}
