import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy } from '../../src/policy/compile-policy.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';
import type { ResolveEntry } from '../../src/policy/policy.ts';
import type { ProxyOptions } from '../../src/proxy/options.ts';
import { startProxy } from '../../src/proxy/start-proxy.ts';
import type { AuditEntry } from '../../src/report/audit-entry.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { openPlain, openTls } from './gateway-client.ts';

export type SetUp = {
  allow?: string[];
  secrets?: Secret[];
  /** answers for every name of `names`, over HTTPS, and over HTTP too */
  upstream?: http.RequestListener;
  /** led to the upstream by `resolve` */
  names?: string[];
  options?: Partial<ProxyOptions>;
};

export type Answer = { status: number; rawHeaders: string[]; headers: http.IncomingHttpHeaders; body: Buffer; trailers: NodeJS.Dict<string> };

/** A proxy, an upstream with a CA of its own, and a client that trusts the proxy's, all real. */
export type Bench = Awaited<ReturnType<typeof openBench>>;

export async function openBench({ allow = ['api.test', 'other.test'], secrets = [], upstream = () => undefined, names = ['api.test'], options = {} }: SetUp = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-proxy-'));
  const [authority, upstreamAuthority] = await Promise.all([createAuthority(), createAuthority()]);
  const servers = { https: await startHttps(upstreamAuthority, upstream), http: await startHttp(upstream) };
  const resolve: ResolveEntry[] = names.flatMap((host) => [
    { host, port: 443, address: '127.0.0.1', addressPort: portOf(servers.https) },
    { host, port: 80, address: '127.0.0.1', addressPort: portOf(servers.http) },
  ]);
  const entries: AuditEntry[] = [];
  const waiting: (() => void)[] = [];
  const { rules, problems } = parseRules(allow);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const socketPath = join(folder, 'proxy.sock');
  const proxy = await startProxy({
    socketPath,
    policy: compilePolicy({ rules, bindings: secrets }),
    secrets: compileSecrets(secrets),
    resolve,
    authority,
    ownAddresses: [],
    upstreamCertificates: [upstreamAuthority.certificatePem],
    onEntry: (entry) => {
      entries.push(entry);
      for (const wake of waiting.splice(0)) wake();
    },
    ...options,
  });
  const agents: http.Agent[] = [];

  return {
    socketPath, authority, upstreamAuthority, servers, entries, proxy,
    /** The first `count` entries, waited for. */
    async entriesOf(count: number): Promise<AuditEntry[]> {
      while (entries.length < count) await new Promise<void>((wake) => waiting.push(wake));
      return entries;
    },
    tls: (host: string, tlsOptions: object = {}, port = 443) =>
      openTls({ socketPath, host, port }, { ca: authority.certificatePem, ...tlsOptions }),
    plain: (host: string, port = 80) => openPlain({ socketPath, host, port }),
    /** An agent whose connections go to `host`, whatever a request says. */
    agentTo(host: string, { port = 443, keepAlive = false, maxSockets = Infinity } = {}): http.Agent {
      const agent = new http.Agent({ keepAlive, maxSockets });
      agent.createConnection = () => openTls({ socketPath, host, port }, { ca: authority.certificatePem });
      agents.push(agent);
      return agent;
    },
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.destroy();
      await proxy[Symbol.asyncDispose]();
      for (const server of Object.values(servers)) {
        server.closeAllConnections();
        server.close();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends a request over an agent of the bench and collects the answer. */
export async function ask(agent: http.Agent, options: http.RequestOptions & { body?: string | Buffer }): Promise<Answer> {
  const request = http.request({ agent, ...options });
  request.end(options.body);
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode!, rawHeaders: response.rawHeaders, headers: response.headers,
    body: Buffer.concat(chunks), trailers: response.trailers,
  };
}

/** Everything a socket receives until it closes; a reset counts as closed. */
export async function readAll(socket: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => resolve()).on('close', () => resolve());
  });
  return Buffer.concat(chunks);
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

export async function startHttps(authority: Authority, listener: http.RequestListener): Promise<https.Server> {
  const server = https.createServer({
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

async function startHttp(listener: http.RequestListener): Promise<http.Server> {
  const server = http.createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
