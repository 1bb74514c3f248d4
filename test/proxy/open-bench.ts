import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
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
  /** the upstream over HTTPS speaks HTTP/2 alone, and answers with this */
  http2Upstream?: Http2Listener;
  http2Options?: http2.SecureServerOptions;
  /** led to the upstream by `resolve` */
  names?: string[];
  options?: Partial<ProxyOptions>;
};

export type Http2Listener = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, flags: number, rawHeaders: string[]) => void;

export type Answer = { status: number; rawHeaders: string[]; headers: http.IncomingHttpHeaders; body: Buffer; trailers: NodeJS.Dict<string> };

/** A proxy, an upstream with a CA of its own, and a client that trusts the proxy's, all real. */
export type Bench = Awaited<ReturnType<typeof openBench>>;

export async function openBench({ allow = ['api.test', 'other.test'], secrets = [], upstream = () => undefined, names = ['api.test'], options = {}, http2Upstream, http2Options }: SetUp = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-proxy-'));
  const [authority, upstreamAuthority] = await Promise.all([createAuthority(), createAuthority()]);
  const servers = {
    https: http2Upstream === undefined ? await startHttps(upstreamAuthority, upstream) : await startHttp2(upstreamAuthority, { listener: http2Upstream, options: http2Options ?? {} }),
    http: await startHttp(upstream),
  };
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
  const sessions: http2.ClientHttp2Session[] = [];

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
    /** An HTTP/2 session to `host`, whatever its requests say. */
    http2(host: string, { port = 443, ...sessionOptions }: http2.ClientSessionOptions & { port?: number } = {}): http2.ClientHttp2Session {
      const session = http2.connect(`https://${host}`, {
        ...sessionOptions,
        createConnection: () => openTls({ socketPath, host, port }, { ca: authority.certificatePem, ALPNProtocols: ['h2'] }),
      });
      session.on('error', () => undefined);
      sessions.push(session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      for (const agent of agents) agent.destroy();
      await proxy[Symbol.asyncDispose]();
      for (const server of Object.values(servers)) {
        if ('closeAllConnections' in server) server.closeAllConnections();
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

/** Sends a request on a session and collects the answer; a reset rejects, with its code in `rstCode`. */
export async function askHttp2(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: string | Buffer): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return collectHttp2(stream);
}

export async function collectHttp2(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const head: { headers: http2.IncomingHttpHeaders; rawHeaders: string[] } = { headers: {}, rawHeaders: [] };
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on('response', (headers, _flags, rawHeaders?: string[]) => void Object.assign(head, { headers, rawHeaders }));
  stream.on('trailers', (received) => { trailers = received; });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) throw Object.assign(new Error(`reset with ${stream.rstCode}`), { rstCode: stream.rstCode });
  if (head.headers[':status'] === undefined) throw Object.assign(new Error('no answer'), { rstCode: stream.rstCode });
  return { status: Number(head.headers[':status']), ...head, headers: head.headers as http.IncomingHttpHeaders, body: Buffer.concat(chunks), trailers: trailers as NodeJS.Dict<string> };
}

export async function startHttp2(authority: Authority, { listener, options }: { listener: Http2Listener; options: http2.SecureServerOptions }) {
  const server = http2.createSecureServer({
    ...options,
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers, flags, rawHeaders?: string[]) => {
    stream.on('error', () => undefined);
    listener(stream, headers, flags, rawHeaders ?? []);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object.assign(server, { sessions, closeAllConnections: () => { for (const session of sessions) session.destroy(); } });
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
