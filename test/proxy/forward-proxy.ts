import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type tls from 'node:tls';
import type { UpstreamProxy } from '../../src/proxy/upstream-proxy.ts';

export type ForwardProxySetUp = {
  /** the user and password it insists on, as `user:password` */
  credentials?: string;
  /** it speaks TLS itself */
  context?: tls.SecureContext;
  /** told which client certificate each client shows */
  onClient?(name: string | string[] | undefined): void;
  /** answers CONNECT with this status and nothing else */
  status?: number;
  /** says nothing at all */
  isSilent?: boolean;
};

/** A forward proxy as companies have them: CONNECT, Basic credentials, TLS. Where a name leads is told by `lead`. */
export async function openForwardProxy({ credentials, context, onClient, status, isSilent = false }: ForwardProxySetUp = {}) {
  const asked: { authority: string; headers: http.IncomingHttpHeaders }[] = [];
  const others: string[] = [];
  const ports = new Map<string, number>();
  const sockets = new Set<Duplex>();
  const server = context === undefined ? http.createServer() : https.createServer({ requestCert: onClient !== undefined, rejectUnauthorized: false, SNICallback: (_, done) => done(null, context) });
  server.on('connection', (socket: Duplex) => sockets.add(socket));
  server.on('secureConnection', (socket: tls.TLSSocket) => onClient?.(socket.getPeerCertificate().subject?.CN));
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    others.push(`${request.method} ${request.url}`);
    response.writeHead(405).end();
  });
  server.on('connect', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    asked.push({ authority: request.url ?? '', headers: request.headers });
    if (isSilent) return;
    const isKnown = credentials === undefined || request.headers['proxy-authorization'] === `Basic ${Buffer.from(credentials).toString('base64')}`;
    const port = ports.get(request.url ?? '');
    const refusal = status ?? (!isKnown ? 407 : port === undefined ? 502 : null);
    // What it was given comes back, as from the error pages of real ones.
    if (refusal !== null) return void socket.end(`HTTP/1.1 ${refusal} No\r\nProxy-Authenticate: Basic\r\n\r\n${request.headers['proxy-authorization']}`);
    const upstream = connect(port!, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    sockets.add(upstream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port, asked, others,
    lead: (authority: string, to: number) => void ports.set(authority, to),
    /** As the proxy is told of it. */
    describe: ({ host = '127.0.0.1', login }: { host?: string; login?: string } = {}): UpstreamProxy => ({
      variable: 'HTTPS_PROXY', scheme: context === undefined ? 'http' : 'https', host, port,
      authorization: login === undefined ? null : `Basic ${Buffer.from(login).toString('base64')}`,
    }),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
