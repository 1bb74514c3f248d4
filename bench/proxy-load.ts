import { once } from 'node:events';
import { connect } from 'node:net';
import tls from 'node:tls';
import { openTls } from '../test/proxy/gateway-client.ts';

/** How a connection to the upstream is had. */
export type Route =
  | { kind: 'direct'; port: number }
  | { kind: 'decoy'; socketPath: string }
  | { kind: 'connect'; proxyPort: number; port: number };

export type Load = { route: Route; task: 'small' | 'down' | 'up'; connections: number; seconds: number };
export type LoadResult = { requests: number; requestsPerSecond: number; bytesPerSecond: number };

export const largeBytes = 100 << 20;

/** A client as cheap as can be, so that it is not what is measured: raw sockets, kept alive, one request at a time each. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const host = load.route.kind === 'decoy' ? 'localhost' : `localhost:${load.route.port}`;
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.route)));
  await Promise.all(sockets.map((socket) => exchange(socket, { task: 'small', host })));
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt > load.seconds * 1_000;
  let requests = 0;
  await Promise.all(sockets.map(async (socket) => {
    do {
      await exchange(socket, { task: load.task, host });
      requests++;
    } while (!isOver());
  }));
  const seconds = (performance.now() - startedAt) / 1_000;
  for (const socket of sockets) socket.destroy();
  return { requests, requestsPerSecond: requests / seconds, bytesPerSecond: load.task === 'small' ? 0 : requests * largeBytes / seconds };
}

async function open(route: Route): Promise<tls.TLSSocket> {
  const secured = route.kind === 'decoy'
    ? openTls({ socketPath: route.socketPath, host: 'localhost', port: 443 }, { rejectUnauthorized: false })
    : tls.connect({
      ...(route.kind === 'direct' ? { host: '127.0.0.1', port: route.port } : { socket: await openTunnel(route) }),
      servername: 'localhost', ALPNProtocols: ['http/1.1'], rejectUnauthorized: false,
    });
  await once(secured, 'secureConnect');
  return secured;
}

async function openTunnel({ proxyPort, port }: { proxyPort: number; port: number }) {
  const socket = connect(proxyPort, '127.0.0.1');
  socket.write(`CONNECT localhost:${port} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  const [answer] = await once(socket, 'data') as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 200') && !answer.toString('latin1').startsWith('HTTP/1.0 200')) throw new Error('the tunnel was refused');
  return socket;
}

const block = Buffer.alloc(64 << 10, 'x');

function exchange(socket: tls.TLSSocket, { task, host }: { task: Load['task']; host: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    let leftBytes = -1;
    const onData = (chunk: Buffer) => {
      if (leftBytes === -1) {
        // The head is in the first chunk: every server here sends it in one piece.
        const end = chunk.indexOf('\r\n\r\n');
        const head = chunk.toString('latin1', 0, end);
        const length = /content-length: *([0-9]+)/i.exec(head);
        if (!head.startsWith('HTTP/1.1 200') || length === null) return void reject(new Error(`unexpected answer: ${head}`));
        leftBytes = Number(length[1]) - (chunk.length - end - 4);
      } else {
        leftBytes -= chunk.length;
      }
      if (leftBytes > 0) return;
      socket.off('data', onData).off('error', reject);
      resolve();
    };
    socket.on('data', onData).once('error', reject);
    if (task === 'up') upload(socket, host).catch(reject);
    else socket.write(`GET /${task} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n`);
  });
}

async function upload(socket: tls.TLSSocket, host: string): Promise<void> {
  socket.write(`POST /up HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${largeBytes}\r\n\r\n`);
  for (let sent = 0; sent < largeBytes; sent += block.length) if (!socket.write(block)) await once(socket, 'drain');
}
