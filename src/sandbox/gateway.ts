import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { attach } from './attach.ts';
import { createContainer, startContainer, type OwnedContainer } from './container.ts';
import { deferred } from './deferred.ts';
import { demultiplex } from './demultiplex.ts';
import { gatewayUser, giveToGateway } from './gateway-user.ts';
import { EngineError, type Engine } from './engine.ts';
import type { RunLabels } from './labels.ts';
import { openProbeChannel, type ProbeChannel } from './probe-channel.ts';
import { GUEST_PATH } from './root-image.ts';

/** A name the sandbox asked for. */
export type NameQuestion = { name: string; type: string; transport: 'udp' | 'tcp' };

/** A connection the gateway itself turned away. */
export type GatewayRefusal = { reason: string; address: string; port: number; count: number };

export type GatewayOptions = {
  image: string;
  runId: string;
  labels: RunLabels;
  /** a directory of this run, which holds `proxy.sock`; bind-mounted into the gateway alone */
  socketDirectory: string;
  ports: readonly number[];
  addresses: readonly string[];
  /** of the sandbox, for the host to reach; none of `ports` */
  exposedPorts: readonly number[];
  /** whether a name may be answered; asked for every name, once in a few seconds */
  judgeName(question: NameQuestion): boolean;
  onRefusal(refusal: GatewayRefusal): void;
  /** the gateway ended although it was not disposed of: the sandbox has no network any more */
  onLost(message: string): void;
};

export type Gateway = AsyncDisposable & {
  containerId: string;
  /** resolves once it listens and has dropped every privilege */
  ready: Promise<void>;
  /** for when it is ready */
  probes: Pick<ProbeChannel, 'probe' | 'end'>;
  /** ends it before the containers in its network are gone: Podman removes it only after them */
  end(): Promise<void>;
};

const READY_MS = 60_000;
const MEMORY_BYTES = 256 * 1024 * 1024;

/** Creates the container that owns the network namespace, and has it start: a sandbox can be created with it, and started once it is ready. */
export async function startGateway(engine: Engine, options: GatewayOptions): Promise<Gateway> {
  const owned = await createContainer(engine, { what: 'gateway', spec: gatewaySpec(options) });
  const control = await listenForControl(options).catch(async (error: unknown) => {
    await owned[Symbol.asyncDispose]();
    throw error;
  });
  const dispose = async () => {
    control.expectEnd();
    await owned[Symbol.asyncDispose]();
    await control[Symbol.asyncDispose]();
  };
  const ready = bringUp(engine, { owned, control });
  ready.catch(() => {});
  const kill = async () => {
    control.expectEnd();
    await owned.container.kill().catch(() => {});
  };
  return { containerId: owned.id, ready, probes: control.probes, end: engine.podmanVersion !== null ? kill : dispose, [Symbol.asyncDispose]: dispose };
}

async function bringUp(engine: Engine, { owned, control }: { owned: OwnedContainer; control: Control }): Promise<void> {
  const lastWords = await collectOutput(engine, owned);
  await startContainer(owned, 'gateway');
  await bounded(Promise.race([control.ready, lastWords.ended]), () => `the gateway did not become ready: ${lastWords.text() || 'it printed nothing'}`);
}

function gatewaySpec(options: GatewayOptions) {
  return {
    name: `decoy-${options.runId}-gateway`,
    Image: options.image,
    Entrypoint: [GUEST_PATH, 'gateway'],
    Hostname: 'sandbox',
    Labels: options.labels,
    User: '0:0',
    // A namespace of its own that the engine leaves as it is. With `none` alone the engine's network code, which has nothing to do here, takes
    // 0.1 s for it (docs/decisions/0005-start-up.md). The guest program checks that nothing leads out.
    NetworkDisabled: true,
    Env: [],
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [{ Type: 'bind' as const, Source: options.socketDirectory, Target: '/run/decoy' }],
      CapDrop: ['ALL'],
      // Given up before the first byte of the sandbox can arrive.
      CapAdd: ['NET_ADMIN', 'NET_BIND_SERVICE', 'DAC_OVERRIDE', 'SETUID', 'SETGID', 'SETPCAP'],
      SecurityOpt: ['no-new-privileges=true'],
      ReadonlyRootfs: true,
      Memory: MEMORY_BYTES,
      MemorySwap: MEMORY_BYTES,
      PidsLimit: 64,
      // Two sockets for each of 4,096 connections, and some.
      Ulimits: [{ Name: 'nofile', Soft: 16_384, Hard: 16_384 }],
      IpcMode: 'none',
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

type Control = AsyncDisposable & { ready: Promise<void>; probes: ProbeChannel; expectEnd(): void };

/** Listens on control.sock: the gateway connects once; the end of that connection is the end of the gateway, and vice versa. */
async function listenForControl(options: GatewayOptions): Promise<Control> {
  const file = path.join(options.socketDirectory, 'control.sock');
  const { promise: ready, resolve, reject } = deferred();
  ready.catch(() => {});
  let ending = false;
  let connection: net.Socket | null = null;
  const probes = await openProbeChannel({ socketDirectory: options.socketDirectory, send: (message) => { if (connection !== null) send(connection, message); } });
  const server = net.createServer((socket) => {
    if (connection !== null) return void socket.destroy();
    connection = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      reject(new EngineError('the gateway ended before it was ready'));
      probes.fail(new EngineError('the gateway ended'));
      if (!ending) options.onLost('the gateway ended while the sandbox was running: something outside Decoy ended it, or the Docker engine was stopped; run it again');
    });
    send(socket, { type: 'config', ports: options.ports, addresses: options.addresses, expose: options.exposedPorts, ...gatewayUser() });
    readline.createInterface({ input: socket }).on('line', (line) => {
      const message = JSON.parse(line) as Record<string, unknown>;
      if (message['type'] === 'ready') resolve();
      else if (message['type'] === 'query') {
        const allow = options.judgeName({
          name: String(message['name']), type: String(message['qtype']), transport: message['transport'] === 'tcp' ? 'tcp' : 'udp',
        });
        send(socket, { type: 'answer', id: message['id'], allow });
      } else if (message['type'] === 'refused') {
        options.onRefusal({
          reason: String(message['reason']), address: String(message['address'] ?? ''), port: Number(message['port'] ?? 0), count: Number(message['count'] ?? 1),
        });
      } else if (message['type'] === 'probed' || message['type'] === 'probes-over') probes.receive(message);
    });
  });
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(file, listening));
  await fs.chmod(file, 0o600);
  await giveToGateway(file);
  return {
    ready,
    probes,
    expectEnd: () => { ending = true; },
    [Symbol.asyncDispose]: async () => {
      ending = true;
      connection?.destroy();
      await Promise.all([probes[Symbol.asyncDispose](), new Promise<void>((closed) => server.close(() => closed()))]);
    },
  };
}

function send(socket: net.Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** Keeps the last 2 KB a trusted container printed: what an error message quotes. */
async function collectOutput(engine: Engine, owned: OwnedContainer): Promise<{ text(): string; ended: Promise<never> }> {
  const stream = await attach(engine, owned);
  let text = '';
  const ended = (async () => {
    for await (const frame of demultiplex(stream)) text = (text + frame.bytes.toString()).slice(-2048);
    throw new EngineError('the gateway ended before it was ready');
  })();
  ended.catch(() => {});
  return { text: () => text.trim(), ended };
}

async function bounded(ready: Promise<void>, describe: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EngineError('it took too long')), READY_MS);
  });
  try {
    await Promise.race([ready, expired]);
  } catch {
    throw new EngineError(describe());
  } finally {
    clearTimeout(timer);
  }
}
