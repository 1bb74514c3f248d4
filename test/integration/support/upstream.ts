import { once, type EventEmitter } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TlsOptions } from 'node:tls';
import { createAuthority } from '../../../src/trust/authority.ts';

/** A real HTTPS server that answers for any name, with an authority of its own, and keeps what it received. */
export type Upstream = AsyncDisposable & {
  port: number;
  /** for what is not a request: `upgrade` */
  server: EventEmitter;
  /** Decoy's environment that makes it trust this server, and only Decoy's */
  env: { NODE_EXTRA_CA_CERTS: string };
  /** `--resolve` options that lead these names here */
  resolve(...names: string[]): string[];
  /** requests that came in whole; `version` is 1.1 or 2.0 */
  received: { version: string; host: string; method: string; url: string; headers: string[]; body: string }[];
};

export type UpstreamOptions = {
  address?: string;
  /** HTTP/2 where the client speaks it, else HTTP/1.1; without it HTTP/1.1 alone */
  speaksHttp2?: boolean;
};

export async function startUpstream(respond: RequestListener, { address = '127.0.0.1', speaksHttp2 = false }: UpstreamOptions = {}): Promise<Upstream> {
  const authority = await createAuthority();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'integration-upstream-'));
  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, authority.certificatePem);
  const received: Upstream['received'] = [];
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    if (body === null) return;
    const host = request.headers.host ?? String(request.headers[':authority'] ?? '');
    received.push({ version: request.httpVersion, host, method: request.method ?? '', url: request.url ?? '', headers: request.rawHeaders, body });
    respond(request, response);
  };
  const server = openServer({
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, { listener, speaksHttp2 });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => void sockets.add(socket.once('close', () => sockets.delete(socket))));
  server.on('tlsClientError', () => {});
  await once(server.listen(0, address), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port, server, received, env: { NODE_EXTRA_CA_CERTS: caFile },
    resolve: (...names) => names.flatMap((name) => ['--resolve', `${name}:443:${address}:${port}`]),
    [Symbol.asyncDispose]: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type Serving = { listener(request: IncomingMessage, response: ServerResponse): void; speaksHttp2: boolean };

function openServer(options: TlsOptions, { listener, speaksHttp2 }: Serving): https.Server | http2.Http2SecureServer {
  if (!speaksHttp2) return https.createServer(options, listener);
  // Its requests and answers have what node:http's have.
  return http2.createSecureServer({ ...options, allowHTTP1: true }, listener as unknown as Parameters<typeof http2.createSecureServer>[1]);
}

/** null where it was broken off. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  let body = '';
  try {
    for await (const chunk of request) body += (chunk as Buffer).toString('latin1');
    return body;
  } catch {
    return null;
  }
}
