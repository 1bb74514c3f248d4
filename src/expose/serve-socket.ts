import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import { quote } from '../policy/quote.ts';
import { joinSockets } from './join-sockets.ts';
import { IDLE_MS, MOST_CONNECTIONS } from './limits.ts';
import type { Connect } from './open-exposed.ts';

export type SocketServing = AsyncDisposable & { counts(): { connections: number; refused: number } };

/** Serves any protocol on a Unix socket that only this process's user may connect to: its mode is what a token is elsewhere. */
export async function serveSocket({ path, connect }: { path: string; connect: Connect }): Promise<SocketServing> {
  await removeStale(path);
  const counts = { connections: 0, refused: 0 };
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket) => sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void (async () => {
    counts.connections += 1;
    keep(client);
    client.setTimeout(IDLE_MS, () => client.destroy());
    const inside = await connect();
    if (inside === null || client.destroyed) {
      inside?.destroy();
      return void client.destroy();
    }
    keep(inside);
    joinSockets(client, inside);
  })());
  server.maxConnections = MOST_CONNECTIONS;
  server.on('drop', () => { counts.refused += 1; });
  // Bound in the call itself, so that there is no moment at which others may connect.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(mask);
  }
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`expose: cannot make the socket ${quote(path)} (${(error as NodeJS.ErrnoException).code}): give a path of at most 107 bytes in a directory that this user may write`);
  }
  return {
    counts: () => ({ ...counts }),
    [Symbol.asyncDispose]: () => new Promise((closed) => {
      server.close(() => closed());
      for (const socket of sockets) socket.destroy();
    }),
  };
}

/** A killed run leaves its socket. One that somebody serves, and any other file, is not ours to remove. */
async function removeStale(path: string): Promise<void> {
  const stats = await fs.lstat(path).catch(() => null);
  if (stats === null) return;
  if (!stats.isSocket() || stats.uid !== process.getuid?.() || await isServed(path)) throw new Error(`expose: ${quote(path)} is there already: remove it, or give another path`);
  await fs.unlink(path);
}

async function isServed(path: string): Promise<boolean> {
  const socket = net.connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}
