import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import { openBench, type Bench, type SetUp } from './open-bench.ts';

export type Service = (socket: WebSocket, request: http.IncomingMessage) => void;
export type BenchOptions = SetUp & { server?: ServerOptions };

/** A WebSocket service behind `api.test`, over TLS and without. */
export async function openSocketBench(service: Service, { server, ...setUp }: BenchOptions = {}) {
  const bench = await openBench(setUp);
  const sockets = new WebSocketServer({ noServer: true, ...server });
  const asked: http.IncomingMessage[] = [];
  const connections = new Set<Duplex>();
  for (const side of [bench.servers.https, bench.servers.http]) {
    side.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
      asked.push(request);
      connections.add(socket.once('close', () => connections.delete(socket)));
      sockets.handleUpgrade(request, socket, head, (accepted) => service(accepted.on('error', () => undefined), request));
    });
  }
  return {
    bench, asked, connections,
    connect: (options: ClientOptions & { protocols?: string[]; host?: string; path?: string } = {}) => connect(bench, options),
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await bench[Symbol.asyncDispose]();
    },
  };
}

function connect(bench: Bench, { protocols = [], host = 'api.test', path = '/live?x=1', ...options }: ClientOptions & { protocols?: string[]; host?: string; path?: string }): WebSocket {
  const socket = new WebSocket(`ws://${host}${path}`, protocols, { createConnection: (() => bench.tls(host)) as never, ...options });
  return socket.on('error', () => undefined);
}

export const echo: Service = (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));

export async function next(socket: WebSocket): Promise<{ data: Buffer; isBinary: boolean }> {
  const [data, isBinary] = await once(socket, 'message') as [Buffer, boolean];
  return { data, isBinary };
}

export async function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = await once(socket, 'close') as [number, Buffer];
  return { code, reason: String(reason) };
}
