import { once } from 'node:events';
import { connect, createServer, isIP, type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';

/** What the gateway does: opens the proxy's socket and says where the connection is to go. */
export type GatewayTarget = { socketPath: string; host: string; port: number };

/** The PROXY protocol v2 header the gateway sends for a connection to `host:port`. */
export function renderProxyHeader({ host, port }: { host: string; port: number }): Buffer {
  const name = Buffer.from(host, 'latin1');
  const header = Buffer.alloc(16 + 12 + 3 + name.length);
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1').copy(header);
  header[12] = 0x21;
  header[13] = 0x11;
  header.writeUInt16BE(12 + 3 + name.length, 14);
  Buffer.from([198, 18, 0, 1, 198, 18, 0, 2]).copy(header, 16);
  header.writeUInt16BE(40000, 24);
  header.writeUInt16BE(port, 26);
  header[28] = 0x02;
  header.writeUInt16BE(name.length, 29);
  name.copy(header, 31);
  return header;
}

export function openPlain(target: GatewayTarget): Socket {
  const socket = connect(target.socketPath);
  socket.write(renderProxyHeader(target));
  return socket;
}

/** `options.servername` for a client whose SNI is not the destination. */
export function openTls(target: GatewayTarget, options: tls.ConnectionOptions): tls.TLSSocket {
  const servername = isIP(target.host) === 0 ? { servername: target.host } : {};
  return tls.connect({ socket: openPlain(target), host: target.host, ...servername, ALPNProtocols: ['http/1.1'], ...options });
}

/** A port on this machine that leads to the target, for clients that open their connections themselves. */
export async function openPort(target: GatewayTarget): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const inner = openPlain(target);
    for (const end of [socket, inner]) {
      sockets.add(end);
      end.on('error', () => end.destroy());
    }
    socket.pipe(inner).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
