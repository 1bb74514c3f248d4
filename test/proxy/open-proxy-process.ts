import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { residentBytes } from '../../bench/sample-process.ts';
import type { ProxyLimits } from '../../src/proxy/limits.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { createAuthority } from '../../src/trust/authority.ts';
import { openPlain, openTls } from './gateway-client.ts';
import { portOf, startHttp2, startHttps, type Http2Listener } from './open-bench.ts';
import type { ProxyReady, ProxySettings } from './proxy-process.ts';

export type ProcessSetUp = {
  upstream?: http.RequestListener;
  /** the upstream speaks HTTP/2, too, and answers it with this */
  http2Upstream?: Http2Listener;
  /** what `tcp://raw.test:5432` leads to */
  raw?: (socket: net.Socket) => void;
  limits?: Partial<ProxyLimits>;
};

export type ProxyProcess = Awaited<ReturnType<typeof openProxyProcess>>;

/** A proxy in a process of its own, whose memory is nobody else's: see proxy-process.ts for what it allows. */
export async function openProxyProcess({ upstream = () => undefined, http2Upstream, raw = () => undefined, limits = {} }: ProcessSetUp = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-proxy-'));
  const authority = await createAuthority();
  const server = http2Upstream === undefined
    ? await startHttps(authority, upstream)
    : await startHttp2(authority, { listener: http2Upstream, options: { allowHTTP1: true, maxSessionMemory: 1000 } });
  const rawServer = net.createServer((socket) => raw(socket.on('error', () => socket.destroy())));
  await once(rawServer.listen(0, '127.0.0.1'), 'listening');
  const bundle = join(folder, 'proxy.cjs');
  await build({ entryPoints: [fileURLToPath(new URL('proxy-process.ts', import.meta.url))], bundle: true, platform: 'node', format: 'cjs', outfile: bundle, logLevel: 'error' });
  const child = fork(bundle, { execArgv: [] });
  const socketPath = join(folder, 'proxy.sock');
  child.send({
    socketPath, caPem: authority.certificatePem, limits,
    resolve: [
      ...['api.test', 'bound.test', 'pinned.test'].map((host) => ({ host, port: 443, address: '127.0.0.1', addressPort: portOf(server) })),
      { host: 'raw.test', port: 5432, address: '127.0.0.1', addressPort: portOf(rawServer) },
    ],
  } satisfies ProxySettings);
  const [{ certificatePem: ca }] = await once(child, 'message') as [ProxyReady];
  const entries: AuditEntry[] = [];
  const waiting = new Set<() => void>();
  child.on('message', ({ entry }: { entry: AuditEntry }) => {
    entries.push(entry);
    for (const wake of waiting) wake();
  });
  const open = new Set<{ destroy(): unknown }>();
  const kept = <T extends NodeJS.EventEmitter & { destroy(): unknown }>(one: T): T => {
    open.add(one);
    one.on('error', () => undefined).on('close', () => open.delete(one));
    return one;
  };

  return {
    server, entries,
    residentBytes: () => residentBytes(child.pid!),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    /** Waits until as many entries are there that `holds` is true of. */
    async entriesOf(count: number, holds: (entry: AuditEntry) => boolean = () => true): Promise<AuditEntry[]> {
      let wake = () => undefined as void;
      const onEntry = () => wake();
      waiting.add(onEntry);
      while (entries.filter(holds).length < count) await new Promise<void>((resolve) => { wake = resolve; });
      waiting.delete(onEntry);
      return entries.filter(holds);
    },
    tls: (host: string, options: tls.ConnectionOptions = {}) => kept(openTls({ socketPath, host, port: 443 }, { ca, ...options })),
    raw: () => kept(openPlain({ socketPath, host: 'raw.test', port: 5432 })),
    http2: (host: string, options: http2.ClientSessionOptions = {}) => kept(http2.connect(`https://${host}`, {
      ...options, createConnection: () => openTls({ socketPath, host, port: 443 }, { ca, ALPNProtocols: ['h2'] }),
    })),
    closeClients() {
      for (const one of open) one.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const one of open) one.destroy();
      child.kill();
      await once(child, 'exit');
      server.closeAllConnections();
      server.close();
      rawServer.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
