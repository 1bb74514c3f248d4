import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import tls from 'node:tls';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { portOf } from './open-bench.ts';

/** Given what a connection has sent so far, and called again with all of it when there is more. */
export type RawListener = (connection: { socket: Socket; received: Buffer; number: number }) => void;

export type RawUpstream = Awaited<ReturnType<typeof startRawUpstream>>;

/** An upstream that keeps every byte it receives and answers with whatever bytes it likes, over TLS and over plain TCP. */
export async function startRawUpstream(names: string[], listener: RawListener) {
  const authority = await createAuthority();
  const sockets = new Set<Socket>();
  const connections: Buffer[] = [];
  const take = (socket: Socket) => {
    const number = connections.push(Buffer.alloc(0)) - 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      connections[number] = Buffer.concat([connections[number] ?? Buffer.alloc(0), chunk]);
      listener({ socket, received: connections[number], number });
    });
  };
  const plain = await listen(createServer(take));
  const secured = await listen(tls.createServer({
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, take));
  const options: Partial<ProxyOptions> = {
    resolve: names.flatMap((host) => [
      { host, port: 443, address: '127.0.0.1', addressPort: portOf(secured) },
      { host, port: 80, address: '127.0.0.1', addressPort: portOf(plain) },
    ]),
    upstreamCertificates: [authority.certificatePem],
  };
  return {
    /** for `openBench` */
    options,
    /** everything received, of all connections */
    received: () => Buffer.concat(connections).toString('latin1'),
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      plain.close();
      secured.close();
    },
  };
}

async function listen<T extends Server>(server: T): Promise<T> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
