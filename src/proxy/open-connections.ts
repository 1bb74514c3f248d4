import type { Socket } from 'node:net';

/** Every connection to an upstream that is open, whatever is spoken on it and whoever has it. Disposal destroys them all, and what is added later. */
export type OpenConnections = Disposable & {
  add(socket: Socket): void;
};

/**
 * Those who use connections close them in order, and that may take as long as a server likes: one that never ends its side would keep
 * the process alive after the run.
 */
export function keepOpenConnections(): OpenConnections {
  const sockets = new Set<Socket>();
  let isDisposed = false;
  return {
    add(socket) {
      if (isDisposed) return void socket.destroy();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    [Symbol.dispose]() {
      isDisposed = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
