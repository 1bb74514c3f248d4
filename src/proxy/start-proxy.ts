import { chmodSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { openAudit } from './audit.ts';
import { handleConnection } from './connection.ts';
import { defaultDialTimeouts } from './dial.ts';
import type { ProxyContext } from './exchange.ts';
import { createHttp2Side } from './http2-server.ts';
import { defaultProxyLimits } from './limits.ts';
import { createMemoryBudget } from './memory-budget.ts';
import type { ProxyOptions } from './options.ts';
import { createRateLimit } from './rate-limit.ts';
import { recordRefusal } from './record-refusal.ts';
import { resolveBySystem } from './resolve-by-system.ts';
import { lazyRoots } from './roots.ts';
import { createRunningCount } from './running-count.ts';
import { createHttpSide } from './server.ts';
import { openUpstreamContexts } from './upstream-contexts.ts';
import { openUpstream } from './upstream.ts';

/** A running proxy. Disposal stops listening, destroys every connection on both sides and takes no longer than a second. */
export type Proxy = AsyncDisposable;

/**
 * Starts the proxy on a Unix socket. Each connection must begin with a PROXY protocol v2 header that names its destination.
 * @throws when the socket cannot be created
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { policy, secrets, authority } = options;
  const upstream = openUpstream({
    resolve: options.resolve,
    ownAddresses: options.ownAddresses,
    upstreamProxies: options.upstreamProxies ?? null,
    resolveName: options.resolveName ?? resolveBySystem,
    contextFor: openUpstreamContexts({
      roots: lazyRoots({ pems: options.upstreamCertificates ?? [], files: options.upstreamRootFiles ?? { extra: [], system: [] } }),
      pinnedAuthorities: options.pinnedAuthorities ?? [],
      clientCertificates: options.clientCertificates ?? [],
    }),
    unusableRoots: options.upstreamRootFiles?.unusable,
    timeouts: { ...defaultDialTimeouts, ...options.upstreamTimeouts },
  });
  const limits = { ...defaultProxyLimits, ...options.limits };
  const rate = options.rate ?? createRateLimit(limits.requestsPerMinute);
  const context: ProxyContext = { policy, secrets, authority, upstream, audit: openAudit(options.onEntry), limits, rate, memory: createMemoryBudget(limits) };
  const running = createRunningCount(limits);
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
  server.maxConnections = limits.connections;
  server.on('drop', () => {
    recordRefusal(
      { status: null, decision: 'blocked', reason: 'capacity', remedy: `Keep at most ${limits.connections} connections open at once, or raise connections in proxy-limits.` },
      { protocol: 'tcp', host: '', port: null, method: null, audit: context.audit },
    );
  });
  await listen(server, options.socketPath);

  let disposal: Promise<void> | undefined;
  const dispose = async () => {
    const closed = new Promise<void>((done) => server.close(() => done()));
    // First, as what was refused on a connection is recorded while it is open.
    await within(disposalMs / 2, Promise.all([http.http1.close(), http.http2.close()]));
    for (const socket of connections) socket.destroy();
    await within(disposalMs, Promise.all([closed, upstream[Symbol.asyncDispose]()]));
    await unlink(options.socketPath).catch(() => undefined);
  };
  return { [Symbol.asyncDispose]: () => (disposal ??= dispose()) };
}

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
