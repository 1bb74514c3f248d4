import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createAuthority } from '../../../src/trust/authority.ts';

/** A real HTTPS server that answers for any name, with an authority of its own, and keeps what it received. */
export type Upstream = AsyncDisposable & {
  port: number;
  server: https.Server;
  /** Decoy's environment that makes it trust this server, and only Decoy's */
  env: { NODE_EXTRA_CA_CERTS: string };
  /** `--resolve` options that lead these names here */
  resolve(...names: string[]): string[];
  received: { host: string; method: string; url: string; headers: string[]; body: string }[];
};

export async function startUpstream(respond: RequestListener, address = '127.0.0.1'): Promise<Upstream> {
  const authority = await createAuthority();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'integration-upstream-'));
  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, authority.certificatePem);
  const received: Upstream['received'] = [];
  const server = https.createServer({
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += (chunk as Buffer).toString('latin1');
    received.push({ host: request.headers.host ?? '', method: request.method ?? '', url: request.url ?? '', headers: request.rawHeaders, body });
    respond(request, response);
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, address), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port, server, received, env: { NODE_EXTRA_CA_CERTS: caFile },
    resolve: (...names) => names.flatMap((name) => ['--resolve', `${name}:443:${address}:${port}`]),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
