/**
 * Event streams through the proxy, with a secret swapped and answers scrubbed: how much later an event arrives than direct, and what
 * a thousand open streams that say nothing cost in resident memory. Upstream, proxy and client are a process each.
 *
 *   npx esbuild bench/streams.ts --bundle --platform=node --format=cjs --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs [EVENTS]
 */
import { once } from 'node:events';
import https from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { startProxy } from '../src/proxy/start-proxy.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';
import { createAuthority } from '../src/trust/authority.ts';
import { openTls } from '../test/proxy/gateway-client.ts';
import { median } from './median.ts';
import { residentBytes } from './sample-process.ts';
import { openRoles } from './start-roles.ts';

type Way = { kind: 'direct'; port: number } | { kind: 'decoy'; socketPath: string; placeholder: string };
type Task = { way: Way; streams: number; events: number };

const idleStreams = 1_000;
const pauseMs = 5;
const settleMs = 2_000;

const inRole: Record<string, () => Promise<void>> = { upstream: runUpstream, proxy: runProxy, client: runClient };
void (inRole[process.argv[2] ?? ''] ?? (() => measure(Number(process.argv[2] ?? 500))))();

async function measure(events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  using roles = openRoles();
  try {
    const { ready: { port, caPem } } = await roles.start<{ port: number; caPem: string }>('upstream', {});
    const socketPath = join(folder, 'proxy.sock');
    const proxy = await roles.start<{ placeholder: string }>('proxy', { socketPath, port, caPem });
    const { child: client } = await roles.start('client', {});
    const run = async <T>(task: Task): Promise<T> => {
      client.send(task);
      return (await once(client, 'message'))[0] as T;
    };
    const decoy: Way = { kind: 'decoy', socketPath, placeholder: proxy.ready.placeholder };
    await run({ way: decoy, streams: 1, events });
    const direct = median(await run<number[]>({ way: { kind: 'direct', port }, streams: 1, events }));
    const through = median(await run<number[]>({ way: decoy, streams: 1, events }));
    console.log(`an event, from the upstream's write to the client's read (median of ${events}): direct ${direct.toFixed(3)} ms, decoy ${through.toFixed(3)} ms, added ${(through - direct).toFixed(3)} ms`);
    const before = residentBytes(proxy.child.pid!);
    await run({ way: decoy, streams: idleStreams, events: 1 });
    const grown = residentBytes(proxy.child.pid!) - before;
    console.log(`${idleStreams} open streams: resident memory +${(grown / 2 ** 20).toFixed(0)} MiB, ${(grown / idleStreams / 1024).toFixed(0)} KiB each`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runUpstream(): Promise<void> {
  const authority = await createAuthority();
  const server = https.createServer({ SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done) }, (request, response) => {
    let left = Number(request.url!.slice(1));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = () => {
      // CLOCK_MONOTONIC is the same for every process of the machine.
      response.write(`data: ${process.hrtime.bigint()}\n\n`);
      left -= 1;
      if (left > 0) setTimeout(send, pauseMs);
    };
    send();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.send!({ port: (server.address() as AddressInfo).port, caPem: authority.certificatePem });
}

async function runProxy(): Promise<void> {
  const [{ socketPath, port, caPem }] = await once(process, 'message') as [{ socketPath: string; port: number; caPem: string }];
  const host = { kind: 'exact', name: 'localhost' } as const;
  const secrets = mintSecrets([{ name: 'KEY', hosts: [host], hostTexts: [host.name], value: 'sk-0123456789abcdefghijklmnopqrstuvwxyz0123' }]);
  await startProxy({
    socketPath, policy: compilePolicy({ rules: [], bindings: secrets }), secrets: compileSecrets(secrets),
    resolve: [{ host: 'localhost', port: 443, address: '127.0.0.1', addressPort: port }],
    authority: await createAuthority(), ownAddresses: [], upstreamCertificates: [caPem], onEntry: () => undefined,
  });
  process.send!({ placeholder: secrets[0]!.placeholder });
}

/** Delays in milliseconds of each event of the one stream; for several streams, an answer once all have been open and quiet for a while. */
async function runClient(): Promise<void> {
  process.send!({});
  process.on('message', (task: Partial<Task>) => {
    if (task.way !== undefined) void perform(task as Task).then((delays) => process.send!(delays));
  });
  await once(process, 'disconnect');
}

async function perform({ way, streams, events }: Task): Promise<number[]> {
  const sockets: tls.TLSSocket[] = [];
  const delays: number[] = [];
  for (let opened = 0; opened < streams; opened += 1) {
    const socket = await openStream(way, events);
    sockets.push(socket);
    let seen = 0;
    socket.on('data', (chunk: Buffer) => {
      const now = process.hrtime.bigint();
      for (const [, sentAt] of chunk.toString('latin1').matchAll(/data: ([0-9]+)\n/g)) {
        delays.push(Number(now - BigInt(sentAt!)) / 1e6);
        seen += 1;
        if (seen === events) socket.emit('seen');
      }
    });
    await once(socket, 'seen');
  }
  if (streams > 1) await new Promise((done) => setTimeout(done, settleMs));
  // Answered while they are open: the memory is read then; they end with the next task.
  setTimeout(() => sockets.forEach((socket) => socket.destroy()), streams > 1 ? settleMs : 0);
  return streams > 1 ? [] : delays;
}

async function openStream(way: Way, events: number): Promise<tls.TLSSocket> {
  const socket = way.kind === 'direct'
    ? tls.connect({ host: '127.0.0.1', port: way.port, servername: 'localhost', ALPNProtocols: ['http/1.1'], rejectUnauthorized: false })
    : openTls({ socketPath: way.socketPath, host: 'localhost', port: 443 }, { rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const authorization = way.kind === 'direct' ? '' : `Authorization: Bearer ${way.placeholder}\r\n`;
  socket.write(`GET /${events} HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
  return socket;
}
