import net from 'node:net';
import path from 'node:path';

/** What the gateway sends when the server in the sandbox has accepted: see guest/gateway/exposed.go. */
const ACCEPTED = 1;

/** Name of the socket the gateway makes for an exposed port. */
export function exposedSocket(port: number): string {
  return `expose-${port}.sock`;
}

/** Connects through the gateway to a server on the sandbox's loopback address, at a port the gateway was told to expose; null where nobody listens there. */
export function connectInside(socketDirectory: string, port: number): Promise<net.Socket | null> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: path.join(socketDirectory, exposedSocket(port)), allowHalfOpen: true });
    const fail = () => {
      socket.destroy();
      resolve(null);
    };
    socket.on('error', fail).once('end', fail).once('close', fail);
    socket.once('readable', () => {
      const sign = socket.read(1) as Buffer | null;
      if (sign?.[0] !== ACCEPTED) return fail();
      socket.off('end', fail).off('close', fail);
      resolve(socket);
    });
  });
}
