import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ResolveEntry } from '../policy/policy.ts';
import { createAuthority } from '../trust/authority.ts';
import type { Canary } from './mint-canary.ts';

/** What an upstream received: the name of a TLS handshake, or a request. */
export type Arrival = { host: string; authorization: string | null };

/** A server in this process that stands for the service a secret is for: it notes what arrives, and sends credentials back. */
export type CanaryUpstream = AsyncDisposable & {
  /** leads both names of the canary here */
  resolve: readonly ResolveEntry[];
  /** an authority of its own, to be trusted for `host` and for nothing else; its key goes with this value */
  trust: { host: string; certificatePem: string };
  handshakes: readonly string[];
  requests: readonly Arrival[];
};

export async function openCanaryUpstream({ host, otherHost }: Pick<Canary, 'host' | 'otherHost'>): Promise<CanaryUpstream> {
  const authority = await createAuthority();
  // Made now, while containers start, and not when the canary waits for them.
  await Promise.all([host, otherHost].map((name) => authority.leafContext(name)));
  const handshakes: string[] = [];
  const requests: Arrival[] = [];
  const server = https.createServer({
    SNICallback: (name, done) => {
      handshakes.push(name);
      void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done);
    },
  }, ({ headers }, response) => {
    const authorization = headers.authorization ?? '';
    requests.push({ host: headers.host ?? '', authorization });
    response.writeHead(200, { [echoHeader]: authorization }).end(renderEcho(authorization));
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port: addressPort } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    resolve: [host, otherHost].map((name) => ({ host: name, port: 443, address: '127.0.0.1', addressPort })),
    trust: { host, certificatePem: authority.certificatePem },
    handshakes, requests,
    [Symbol.asyncDispose]: () => (closed ??= new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    })),
  };
}

export const echoHeader = 'x-canary';

/** A credential as services may send it back: as it is, and the last word of it in base64. */
export function renderEcho(authorization: string): string {
  return `${authorization}\n${Buffer.from(authorization.split(' ').at(-1)!).toString('base64')}\n`;
}
