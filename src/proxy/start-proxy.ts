import { chmodSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { draftEntry, openAudit } from './audit.ts';
import { handleConnection } from './connection.ts';
import type { ProxyContext } from './exchange.ts';
import type { ProxyOptions } from './options.ts';
import { createUpstreamContexts } from './roots.ts';
import { createHttp2Side } from './http2-server.ts';
import { createRunningCount } from './running-count.ts';
import { createHttpSide } from './server.ts';
import { openUpstream } from './upstream.ts';

/** A running proxy. Disposal stops listening, destroys every connection on both sides and takes no longer than a second. */
export type Proxy = AsyncDisposable;

/**
 * Starts the proxy on a Unix socket. Each connection must begin with a PROXY protocol v2 header that names its destination.
 * @throws when the socket cannot be created
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { policy, secrets, authority, resolve, ownAddresses } = options;
  const upstream = openUpstream({ resolve, ownAddresses, contextFor: createUpstreamContexts(options) });
  const context: ProxyContext = { policy, secrets, authority, upstream, audit: openAudit(options.onEntry) };
  const running = createRunningCount();
  const http = { http1: createHttpSide(context, running), http2: createHttp2Side(context, running) };
  const connections = new Set<Socket>();

  const server = createServer({ pauseOnConnect: true }, (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    handleConnection(socket, { context, http }).catch(() => {
      // Nothing of the error is told: it could hold what a client sent.
      options.onWarning?.('A connection from the sandbox was closed because of an internal error in the proxy.');
      socket.destroy();
    });
  });
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    const draft = draftEntry({ protocol: 'tcp', host: '', port: null });
    Object.assign(draft, { decision: 'blocked', reason: 'capacity', remedy: `Keep at most ${maxConnections} connections open at once.` });
    context.audit.record(draft);
  });
  await listen(server, options.socketPath);

  let disposal: Promise<void> | undefined;
  const dispose = async () => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    for (const socket of connections) socket.destroy();
    http.http1.close();
    http.http2.close();
    await within(disposalMs, Promise.all([closed, upstream[Symbol.asyncDispose]()]));
    await unlink(options.socketPath).catch(() => undefined);
  };
  return { [Symbol.asyncDispose]: () => (disposal ??= dispose()) };
}

/** Each costs two file descriptors and some tens of kilobytes; more than a busy package manager or browser opens. */
const maxConnections = 1_024;
const disposalMs = 1_000;

async function listen(server: Server, socketPath: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // A sandbox may open a thousand connections at once; the kernel cuts this to net.core.somaxconn.
    server.listen({ path: socketPath, backlog: 4096 }, () => {
      server.off('error', reject);
      resolve();
    });
    // The socket exists as soon as listen returns; it must not be open to others until its callback runs.
    try {
      chmodSync(socketPath, 0o600);
    } catch {
      // It does not exist: the error event tells why.
    }
  });
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise((done) => { timer = setTimeout(done, ms); })]).catch(() => undefined);
  clearTimeout(timer);
}
