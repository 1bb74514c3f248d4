import fs from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createAuthority, type Authority } from '../../src/trust/authority.ts';
import { trustEnvironment } from '../../src/trust/environment.ts';
import { buildTrustStore } from '../../src/trust/pkcs12.ts';
import { readSystemRoots } from '../../src/trust/system-roots.ts';
import { buildTrustBundle } from '../../src/trust/trust-bundle.ts';

/** A real HTTPS server that answers any name with a leaf of a fresh authority, and that authority's trust files on disk. */
export type TlsServer = {
  authority: Authority;
  port: number;
  folder: string;
  bundle: string;
  /** this process's environment with what the sandbox would have on top */
  trusting: NodeJS.ProcessEnv;
  /** this process's environment without any certificate setting */
  untrusting: NodeJS.ProcessEnv;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startTlsServer(): Promise<TlsServer> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'decoy-trust-'));
  const authority = await createAuthority();
  const bundlePem = buildTrustBundle({ systemRootsPem: await readSystemRoots(), authorityPem: authority.certificatePem });
  const paths = {
    bundle: path.join(folder, 'bundle.pem'), authority: path.join(folder, 'ca.pem'), trustStore: path.join(folder, 'truststore.p12'),
  };
  await fs.writeFile(paths.bundle, bundlePem);
  await fs.writeFile(paths.authority, authority.certificatePem);
  await fs.writeFile(paths.trustStore, buildTrustStore([bundlePem]));
  const server = https.createServer({
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, (_request, response) => void response.end('trusted'));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const trust = trustEnvironment(paths);
  const untrusting = Object.fromEntries(Object.entries(process.env).filter(([name]) => !(name in trust)));
  return {
    authority, folder, bundle: paths.bundle, untrusting,
    port: (server.address() as AddressInfo).port,
    trusting: { ...untrusting, ...trust },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fs.rm(folder, { recursive: true, force: true });
    },
  };
}
