/**
 * Event streams through the proxy, with a secret swapped and answers scrubbed: how much later an event arrives than direct, and what
 * a thousand open streams that say nothing cost in resident memory, over HTTP/1.1 and HTTP/2 on both sides; and beside them what two TLS
 * connections a stream take that Node alone joins. Upstream, proxies and client are a process each.
 *
 *   npx esbuild bench/streams.ts --bundle --platform=node --target=node20 --format=cjs --log-level=error --outfile=/tmp/decoy-bench.cjs && node /tmp/decoy-bench.cjs [EVENTS]
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { compilePolicy } from '../src/policy/compile-policy.ts';
import { startProxy } from '../src/proxy/start-proxy.ts';
import { compileSecrets } from '../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../src/secrets/mint-secrets.ts';
import { createAuthority } from '../src/trust/authority.ts';
import { capYoungGeneration, collectAtOnce } from '../src/tune-process.ts';
import { openTls } from '../test/proxy/gateway-client.ts';
import { median } from './median.ts';
import { residentBytes } from './sample-process.ts';
import { openRoles } from './start-roles.ts';

type Way = { kind: 'direct'; port: number } | { kind: 'proxied'; socketPath: string; placeholder: string };
type Task = { way: Way; protocol: 'http/1.1' | 'h2'; streams: number; events: number };
type ProxySettings = { socketPath: string; port: number; caPem: string };

const idleStreams = 1_000;
const streamsPerConnection = 100;
const pauseMs = 5;
const settleMs = 2_000;

const inRole: Record<string, () => Promise<void>> = { upstream: runUpstream, proxy: runProxy, joined: runJoined, client: runClient };
void (inRole[process.argv[2] ?? ''] ?? (() => measure(Number(process.argv[2] ?? 500))))();

async function measure(events: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'decoy-bench-'));
  using roles = openRoles();
  try {
    const { ready: { port, caPem } } = await roles.start<{ port: number; caPem: string }>('upstream', {});
    const startProxyAs = async (role: string, name: string) => {
      const socketPath = join(folder, name);
      const { child, ready } = await roles.start<{ placeholder: string }>(role, { socketPath, port, caPem } satisfies ProxySettings);
      return { pid: child.pid!, way: { kind: 'proxied', socketPath, placeholder: ready.placeholder } satisfies Way };
    };
    const { child: client } = await roles.start('client', {});
    const run = async <T>(task: Task): Promise<T> => {
      client.send(task);
      return (await once(client, 'message'))[0] as T;
    };
    const { way: decoy } = await startProxyAs('proxy', 'events');
    const one = { protocol: 'http/1.1', streams: 1, events } as const;
    await run({ way: decoy, ...one });
    const direct = median(await run<number[]>({ way: { kind: 'direct', port }, ...one }));
    const through = median(await run<number[]>({ way: decoy, ...one }));
    console.log(`an event, from the upstream's write to the client's read (median of ${events}): direct ${direct.toFixed(3)} ms, decoy ${through.toFixed(3)} ms, added ${(through - direct).toFixed(3)} ms`);
    for (const [name, role, protocol] of [['decoy, HTTP/1.1', 'proxy', 'http/1.1'], ['decoy, HTTP/2', 'proxy', 'h2'], ['joined by Node alone, HTTP/1.1', 'joined', 'http/1.1']] as const) {
      const { pid, way } = await startProxyAs(role, `${role}-${protocol.replace('/', '-')}`);
      await run({ way, protocol, streams: 1, events });
      const before = residentBytes(pid);
      await run({ way, protocol, streams: idleStreams, events: 1 });
      const grown = residentBytes(pid) - before;
      console.log(`${idleStreams} open streams, ${name}: resident memory +${(grown / 2 ** 20).toFixed(0)} MiB, ${(grown / idleStreams / 1024).toFixed(0)} KiB each`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runUpstream(): Promise<void> {
  const authority = await createAuthority();
  const server = http2.createSecureServer({
    allowHTTP1: true,
    SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done),
  }, (request, response) => {
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
  collectAtOnce();
  capYoungGeneration();
  const [{ socketPath, port, caPem }] = await once(process, 'message') as [ProxySettings];
  const host = { kind: 'exact', name: 'localhost' } as const;
  const secrets = mintSecrets([{ name: 'KEY', hosts: [host], hostTexts: [host.name], value: 'sk-0123456789abcdefghijklmnopqrstuvwxyz0123' }]);
  await startProxy({
    socketPath, policy: compilePolicy({ rules: [], bindings: secrets }), secrets: compileSecrets(secrets),
    resolve: [{ host: 'localhost', port: 443, address: '127.0.0.1', addressPort: port }],
    authority: await createAuthority(), ownAddresses: [], upstreamCertificates: [caPem], onEntry: () => undefined,
  });
  process.send!({ placeholder: secrets[0]!.placeholder });
}

/** The least that could be: two TLS connections for each stream, and nothing that reads what is passed on. */
async function runJoined(): Promise<void> {
  collectAtOnce();
  capYoungGeneration();
  const [{ socketPath, port, caPem }] = await once(process, 'message') as [ProxySettings];
  const client = await (await createAuthority()).leafContext('localhost');
  const upstream = tls.createSecureContext({ ca: [caPem], minVersion: 'TLSv1.2' });
  const join = (socket: net.Socket) => {
    const sides = [
      new tls.TLSSocket(socket, { isServer: true, secureContext: client, ALPNProtocols: ['http/1.1'] } as tls.TLSSocketOptions),
      tls.connect({ socket: net.connect(port, '127.0.0.1'), servername: 'localhost', secureContext: upstream, ALPNProtocols: ['http/1.1'] }),
    ] as const;
    for (const [from, to] of [sides, [sides[1], sides[0]]] as const) from.on('data', (chunk) => to.write(chunk)).on('error', () => undefined).on('close', () => to.destroy());
  };
  const server = net.createServer({ pauseOnConnect: true }, (socket) => void socket.once('readable', () => {
    const chunk = socket.read() as Buffer;
    // Behind the gateway's header: its length is in its fifteenth and sixteenth byte.
    const behind = chunk.subarray(16 + chunk.readUInt16BE(14));
    if (behind.length > 0) socket.unshift(behind);
    join(socket);
  }));
  await once(server.listen(socketPath), 'listening');
  process.send!({ placeholder: 'none' });
}

/** Delays in milliseconds of each event of the one stream; for several streams, an answer once all have been open and quiet for a while. */
async function runClient(): Promise<void> {
  process.send!({});
  process.on('message', (task: Partial<Task>) => {
    if (task.way !== undefined) void perform(task as Task).then((delays) => process.send!(delays));
  });
  await once(process, 'disconnect');
}

async function perform({ way, protocol, streams, events }: Task): Promise<number[]> {
  const sockets: tls.TLSSocket[] = [];
  const delays: number[] = [];
  let session: http2.ClientHttp2Session | null = null;
  for (let opened = 0; opened < streams; opened += 1) {
    if (protocol === 'http/1.1' || opened % streamsPerConnection === 0) {
      sockets.push(await openConnection(way, protocol));
      if (protocol === 'h2') session = openSession(sockets.at(-1)!);
    }
    const stream = session === null ? startHttp1(sockets.at(-1)!, { way, events }) : startHttp2(session, { way, events });
    let seen = 0;
    stream.on('data', (chunk: Buffer) => {
      const now = process.hrtime.bigint();
      for (const [, sentAt] of chunk.toString('latin1').matchAll(/data: ([0-9]+)\n/g)) {
        delays.push(Number(now - BigInt(sentAt!)) / 1e6);
        seen += 1;
        if (seen === events) stream.emit('seen');
      }
    });
    await once(stream, 'seen');
  }
  if (streams > 1) await new Promise((done) => setTimeout(done, settleMs));
  // Answered while they are open: the memory is read then; they end with the next task.
  setTimeout(() => sockets.forEach((socket) => socket.destroy()), streams > 1 ? settleMs : 0);
  return streams > 1 ? [] : delays;
}

async function openConnection(way: Way, protocol: Task['protocol']): Promise<tls.TLSSocket> {
  const options = { ALPNProtocols: [protocol], rejectUnauthorized: false };
  const socket = way.kind === 'direct'
    ? tls.connect({ host: '127.0.0.1', port: way.port, servername: 'localhost', ...options })
    : openTls({ socketPath: way.socketPath, host: 'localhost', port: 443 }, options);
  await once(socket, 'secureConnect');
  return socket;
}

type Asked = { way: Way; events: number };

function startHttp1(socket: tls.TLSSocket, { way, events }: Asked): tls.TLSSocket {
  const authorization = way.kind === 'direct' ? '' : `Authorization: Bearer ${way.placeholder}\r\n`;
  socket.write(`GET /${events} HTTP/1.1\r\nHost: localhost\r\n${authorization}\r\n`);
  return socket;
}

function openSession(socket: tls.TLSSocket): http2.ClientHttp2Session {
  return http2.connect('https://localhost', { createConnection: () => socket }).on('error', () => undefined);
}

function startHttp2(session: http2.ClientHttp2Session, { way, events }: Asked): http2.ClientHttp2Stream {
  return session.request({ ':path': `/${events}`, ...(way.kind === 'proxied' && { authorization: `Bearer ${way.placeholder}` }) }).on('error', () => undefined);
}
