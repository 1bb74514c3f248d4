import { once } from 'node:events';
import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { deferred, type Deferred } from './deferred.ts';
import { EngineError } from './engine.ts';
import { giveToGateway } from './gateway-user.ts';

/** What a client in the sandbox's network would get. */
export type Probed =
  /** `address` is what the name led to; the connection is the client's end, for the host to use */
  | { kind: 'connected'; address: string; connection: net.Socket }
  | { kind: 'failed'; reason: 'no-such-name' | 'no-route' | 'other'; message: string };

export type Probe = (destination: { host: string; port: number }) => Promise<Probed>;

/**
 * Lets the host be a client of the gateway, until the sandbox starts: the gateway looks up and connects where it is told to, and hands
 * the connection over by a socket only it can see.
 */
export type ProbeChannel = AsyncDisposable & {
  /** one at a time */
  probe: Probe;
  /** Closes it for good, on both sides; resolves when the gateway has forgotten the names it was asked for. */
  end(): Promise<void>;
  /** takes a line of the gateway's that is about probes */
  receive(message: Record<string, unknown>): void;
  /** the gateway has gone */
  fail(error: Error): void;
};

export async function openProbeChannel({ socketDirectory, send }: { socketDirectory: string; send(message: object): void }): Promise<ProbeChannel> {
  const file = path.join(socketDirectory, 'probe.sock');
  const connections = new Set<net.Socket>();
  let lastId = 0;
  let answer: Deferred<Record<string, unknown>> | null = null;
  let arrival: Deferred<net.Socket> | null = null;
  const over = deferred();
  over.promise.catch(() => {});

  const server = net.createServer((connection) => {
    connections.add(connection.on('error', () => {}).on('close', () => connections.delete(connection)));
    if (arrival === null) connection.destroy();
    else arrival.resolve(connection);
  });
  await once(server.listen(file), 'listening');
  await fs.chmod(file, 0o600);
  await giveToGateway(file);

  // The listening socket's file goes with it.
  const close = () => {
    for (const connection of connections) connection.destroy();
    return new Promise<void>((closed) => server.close(() => closed()));
  };
  return {
    probe: async ({ host, port }) => {
      const asked = { answer: deferred<Record<string, unknown>>(), arrival: deferred<net.Socket>() };
      asked.arrival.promise.catch(() => {});
      ({ answer, arrival } = asked);
      send({ type: 'probe', id: lastId += 1, name: host, port });
      try {
        const { reason, message, address } = await asked.answer.promise;
        if (reason === undefined) return { kind: 'connected', address: String(address), connection: await asked.arrival.promise };
        return { kind: 'failed', reason: reason === 'no-such-name' || reason === 'no-route' ? reason : 'other', message: String(message) };
      } finally {
        answer = arrival = null;
      }
    },
    end: async () => {
      await close();
      send({ type: 'probes-over' });
      await over.promise;
    },
    receive: (message) => {
      if (message['type'] === 'probes-over') over.resolve();
      else if (message['id'] === lastId) answer?.resolve(message);
    },
    fail: (error) => {
      over.reject(error);
      answer?.reject(error);
      arrival?.reject(error);
    },
    [Symbol.asyncDispose]: async () => {
      for (const pending of [over, answer, arrival]) pending?.reject(new EngineError('the gateway was taken away'));
      await close();
    },
  };
}
