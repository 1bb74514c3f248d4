import { once } from 'node:events';
import https from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../src/trust/authority.ts';

/** An HTTPS server on the loopback interface under any name, with an authority of its own. */
export async function startTlsServer(answer: RequestListener): Promise<{ port: number; caPem: string }> {
  const authority = await createAuthority();
  const server = https.createServer({ SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done) }, answer);
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, caPem: authority.certificatePem };
}
