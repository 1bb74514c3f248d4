/**
 * What connections cost the proxy: processor time for a new one from a client, to a host that is known, and for a new one to an upstream.
 * Upstream, proxy and client are a process each.
 *
 *   npx esbuild bench/connections.ts --bundle --platform=node --format=cjs --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs [CONNECTIONS]
 */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { parseRules } from '../src/policy/parse-rules.ts';
import { startProxy } from '../src/proxy/start-proxy.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { createAuthority } from '../src/trust/authority.ts';
import { openTls } from '../test/proxy/gateway-client.ts';
import { median } from './median.ts';
import { sampleProcess } from './sample-process.ts';
import { openRoles } from './start-roles.ts';

type Task = { socketPath: string; requests: number; keepsClient: boolean; keepsUpstream: boolean };

const rounds = 5;
const inRole: Record<string, () => Promise<void>> = { upstream: runUpstream, proxy: runProxy, client: runClient };
void (inRole[process.argv[2] ?? ''] ?? (() => measure(Number(process.argv[2] ?? 500))))();

async function measure(requests: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  using roles = openRoles();
  try {
    const { ready: upstream } = await roles.start<{ port: number; caPem: string }>('upstream', {});
    const socketPath = join(folder, 'proxy.sock');
    const { child: proxy } = await roles.start('proxy', { socketPath, ...upstream });
    const { child: client } = await roles.start('client', {});
    /** Milliseconds of the proxy's processor time for each request. */
    const cost = async (task: Pick<Task, 'keepsClient' | 'keepsUpstream'>): Promise<number> => {
      const spent: number[] = [];
      for (let round = 0; round <= rounds; round += 1) {
        const sample = sampleProcess(proxy.pid!);
        client.send({ socketPath, requests, ...task });
        await once(client, 'message');
        // The first one warms up.
        if (round > 0) spent.push((sample.stop().cpuSeconds / requests) * 1_000);
        else sample.stop();
      }
      return median(spent);
    };
    const kept = await cost({ keepsClient: true, keepsUpstream: true });
    const fromClient = await cost({ keepsClient: false, keepsUpstream: true }) - kept;
    const toUpstream = await cost({ keepsClient: true, keepsUpstream: false }) - kept;
    console.log(`a request on kept connections: ${kept.toFixed(2)} ms of processor time (median of ${rounds} times ${requests})`);
    console.log(`a new connection from a client: +${fromClient.toFixed(2)} ms, to an upstream: +${toUpstream.toFixed(2)} ms`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runUpstream(): Promise<void> {
  const authority = await createAuthority();
  const server = https.createServer({ SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done) }, (request, response) => {
    if (request.url === '/once') response.setHeader('connection', 'close');
    response.end('ok');
  });
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.send!({ port: (server.address() as AddressInfo).port, caPem: authority.certificatePem });
}

async function runProxy(): Promise<void> {
  const [{ socketPath, port, caPem }] = await once(process, 'message') as [{ socketPath: string; port: number; caPem: string }];
  await startProxy({
    socketPath, policy: compilePolicy({ rules: parseRules(['localhost']).rules, bindings: [] }), secrets: compileSecrets([]),
    resolve: [{ host: 'localhost', port: 443, address: '127.0.0.1', addressPort: port }],
    authority: await createAuthority(), ownAddresses: [], upstreamCertificates: [caPem], onEntry: () => undefined,
  });
  process.send!({});
}

async function runClient(): Promise<void> {
  process.send!({});
  process.on('message', (task: Partial<Task>) => {
    if (task.requests !== undefined) void perform(task as Task).then(() => process.send!({}));
  });
  await once(process, 'disconnect');
}

async function perform({ socketPath, requests, keepsClient, keepsUpstream }: Task): Promise<void> {
  const agent = new http.Agent({ keepAlive: keepsClient, maxSockets: 1 });
  agent.createConnection = () => openTls({ socketPath, host: 'localhost', port: 443 }, { rejectUnauthorized: false });
  for (let sent = 0; sent < requests; sent += 1) {
    const request = http.get({ agent, path: keepsUpstream ? '/' : '/once', headers: { host: 'localhost' } });
    const [response] = await once(request, 'response') as [http.IncomingMessage];
    await once(response.resume(), 'end');
  }
  agent.destroy();
}
