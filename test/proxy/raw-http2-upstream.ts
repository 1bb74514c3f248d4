import { once } from 'node:events';
import type { Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { portOf } from './open-bench.ts';
import { frame, framesOf, HEADERS, PING, SETTINGS } from './raw-http2.ts';

export type RawHttp2Listener = (request: { socket: TLSSocket; stream: number }) => void;

/** An upstream over HTTP/2 that answers with whatever frames it likes, and never ends its side of a connection. */
export async function startRawHttp2Upstream(names: string[], listener: RawHttp2Listener) {
  const authority = await createAuthority();
  const sockets: Socket[] = [];
  const closed: Promise<unknown>[] = [];
  const server = tls.createServer({
    ALPNProtocols: ['h2'], allowHalfOpen: true,
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, (socket) => {
    sockets.push(socket);
    closed.push(new Promise<void>((resolve) => socket.once('close', () => resolve())));
    socket.on('error', () => undefined).once('end', () => knock(socket));
    serve(socket, listener).catch(() => socket.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const options: Partial<ProxyOptions> = {
    resolve: names.map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
    upstreamCertificates: [authority.certificatePem],
  };
  return {
    /** for `openBench` */
    options,
    /** one for each connection, in their order: the other side has closed it, not only ended its own direction */
    closed,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function serve(socket: TLSSocket, listener: RawHttp2Listener): Promise<void> {
  socket.write(frame(SETTINGS, 0, 0));
  for await (const { kind, flags, stream } of framesOf(socket.iterator({ destroyOnReturn: false }))) {
    if (kind === SETTINGS && (flags & 1) === 0) socket.write(frame(SETTINGS, 1, 0));
    if (kind === HEADERS) listener({ socket, stream });
  }
}

/** Only what is sent to a closed connection shows that it is: a direction that was ended looks the same. */
function knock(socket: Socket): void {
  const timer = setInterval(() => socket.write(frame(PING, 0, 0, Buffer.alloc(8))), 20);
  socket.once('close', () => clearInterval(timer));
}
