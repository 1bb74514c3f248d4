import { once } from 'node:events';
import { connect } from 'node:net';
import tls from 'node:tls';
import { openTls } from '../test/proxy/gateway-client.ts';

/** How a connection to the upstream is had. */
export type Route =
  | { kind: 'direct'; port: number }
  | { kind: 'sandbox'; host: string; authorization?: string }
  | { kind: 'decoy'; socketPath: string; authorization?: string }
  | { kind: 'connect'; proxyPort: number; port: number; authorization?: string };

export type Load = {
  route: Route; task: 'small' | 'down' | 'up'; connections: number; seconds: number;
  /** of the same, before anything is measured: in its first seconds a program's code is compiled while it works, and that is not what is asked */
  warmUpSeconds?: number;
};
export type LoadResult = { requests: number; requestsPerSecond: number; bytesPerSecond: number };

export const largeBytes = 100 << 20;

/** A client as cheap as can be, so that it is not what is measured: raw sockets, kept alive, one request at a time each. */
export async function runLoad(load: Load, { onWarm = () => {} }: { onWarm?: () => void } = {}): Promise<LoadResult> {
  const head = headOf(load.route);
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.route)));
  await repeat(sockets, { task: 'small', head, seconds: 0 });
  if (load.warmUpSeconds !== undefined) await repeat(sockets, { task: load.task, head, seconds: load.warmUpSeconds });
  onWarm();
  const { requests, seconds } = await repeat(sockets, { task: load.task, head, seconds: load.seconds });
  for (const socket of sockets) socket.destroy();
  return { requests, requestsPerSecond: requests / seconds, bytesPerSecond: load.task === 'small' ? 0 : requests * largeBytes / seconds };
}

/** At least once on every connection. */
async function repeat(sockets: readonly tls.TLSSocket[], { task, head, seconds }: Pick<Load, 'task' | 'seconds'> & { head: string }): Promise<{ requests: number; seconds: number }> {
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt > seconds * 1_000;
  let requests = 0;
  await Promise.all(sockets.map(async (socket) => {
    do {
      await exchange(socket, { task, head });
      requests++;
    } while (!isOver());
  }));
  return { requests, seconds: (performance.now() - startedAt) / 1_000 };
}

function headOf(route: Route): string {
  const authorization = route.kind === 'direct' || route.authorization === undefined ? '' : `Authorization: ${route.authorization}\r\n`;
  return `Host: ${hostOf(route)}\r\n${authorization}`;
}

function hostOf(route: Route): string {
  if (route.kind === 'sandbox') return route.host;
  return route.kind === 'decoy' ? 'localhost' : `localhost:${route.port}`;
}

async function open(route: Route): Promise<tls.TLSSocket> {
  if (route.kind === 'sandbox') {
    // Verified, as any client in the sandbox would, which finds Decoy's authority in NODE_EXTRA_CA_CERTS.
    const verified = tls.connect({ host: route.host, port: 443, servername: route.host, ALPNProtocols: ['http/1.1'] });
    await once(verified, 'secureConnect');
    return verified;
  }
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

function exchange(socket: tls.TLSSocket, { task, head }: { task: Load['task']; head: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver: ((chunk: Buffer) => boolean) | null = null;
    const onData = (chunk: Buffer) => {
      let body = chunk;
      if (isOver === null) {
        // The head is in the first chunk: every server here sends it in one piece.
        const end = chunk.indexOf('\r\n\r\n');
        const answer = chunk.toString('latin1', 0, end);
        isOver = bodyEnd(answer);
        if (!answer.startsWith('HTTP/1.1 200') || isOver === null) return void reject(new Error(`unexpected answer: ${answer}`));
        body = chunk.subarray(end + 4);
      }
      if (!isOver(body)) return;
      socket.off('data', onData).off('error', reject).off('close', onClose);
      resolve();
    };
    const onClose = () => reject(new Error(`the connection was closed ${isOver === null ? 'before' : 'in the middle of'} an answer`));
    socket.on('data', onData).once('error', reject).once('close', onClose);
    if (task === 'up') upload(socket, head).catch(reject);
    else socket.write(`GET /${task} HTTP/1.1\r\n${head}Accept: */*\r\nUser-Agent: bench\r\n\r\n`);
  });
}

/** Told each piece of the body; true at the last. A scrubbed answer is chunked: its length is not known beforehand. */
function bodyEnd(answer: string): ((chunk: Buffer) => boolean) | null {
  const length = /content-length: *([0-9]+)/i.exec(answer);
  if (length !== null) {
    let leftBytes = Number(length[1]);
    return (chunk) => (leftBytes -= chunk.length) <= 0;
  }
  if (!/transfer-encoding: *chunked/i.test(answer)) return null;
  let tail = '\r\n';
  return (chunk) => (tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 7))).slice(-7)).endsWith('\r\n0\r\n\r\n');
}

async function upload(socket: tls.TLSSocket, head: string): Promise<void> {
  socket.write(`POST /up HTTP/1.1\r\n${head}Content-Length: ${largeBytes}\r\n\r\n`);
  for (let sent = 0; sent < largeBytes; sent += block.length) if (!socket.write(block)) await once(socket, 'drain');
}
