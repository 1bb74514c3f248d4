import type { Duplex } from 'node:stream';
import { attach } from './attach.ts';
import { createContainer, engineMessage, isGone, startContainer, type OwnedContainer } from './container.ts';
import { deferred } from './deferred.ts';
import { demultiplex, type OutputFrame } from './demultiplex.ts';
import { droppedCaps, readSwapBytes } from './dropped-caps.ts';
import { EngineError, type Engine } from './engine.ts';
import type { RunLabels } from './labels.ts';
import { createMarkerFilter } from './marker-filter.ts';
import { openCounters, type Counters } from './open-counters.ts';
import type { SandboxRuntime } from './runtime.ts';

export type SandboxMount =
  | { kind: 'volume'; source: string; target: string; readOnly: boolean }
  /** `source` is a path on the engine's host */
  | { kind: 'bind'; source: string; target: string; readOnly: boolean };

export type SandboxOptions = {
  image: string;
  /** where the guest program lies in the container */
  guestPath: string;
  /** names of the image's own variables: Decoy's init gets none of them */
  imageVariables: readonly string[];
  runId: string;
  labels: RunLabels;
  /** `sandbox` where it is not given */
  what?: 'sandbox' | 'service';
  /** of a user that is root; ROOT_CAPABILITIES where it is not given */
  rootCapabilities?: readonly string[];
  gatewayContainerId: string;
  runtime: SandboxRuntime;
  mounts: readonly SandboxMount[];
  user: { uid: number; gid: number };
  limits: { memoryBytes: number; cpus: number; pids: number; wallSeconds: number };
};

export type Command = {
  argv: readonly string[];
  environment: Readonly<Record<string, string>>;
  directory: string;
  /** unguessable; marks the end of the command in its output */
  token: string;
};

/** The capped container; removed when disposed of. */
export type CreatedSandbox = AsyncDisposable & {
  /** Starts the container, in which nothing but Decoy's init runs until it is given the command. */
  launch(): Promise<IdleSandbox>;
};

export type IdleSandbox = { start(command: Command): Promise<Sandbox> };

/**
 * How the sandbox's first process ended. `exitCode` is the command's where that process told it (`told`); else it was ended itself. null
 * where the container is gone. `refusal` is why the command was not started at all, one sentence, else null.
 */
export type SandboxEnd = { exitCode: number | null; told: boolean; oomKilled: boolean; refusal: string | null };

export type Sandbox = {
  containerId: string;
  /** performance.now() when the command was given to it: what the deadline and every reading count from */
  startedMs: number;
  /** what the command prints, as it arrives; ends when the command and everything it left behind are gone */
  output: AsyncIterable<OutputFrame>;
  /** resolves when the command is over and the sandbox waits to be let go, or has gone */
  finished: Promise<void>;
  /** lets the waiting sandbox end: its counters vanish with it. @returns how it ended */
  release(): Promise<SandboxEnd>;
  /** what it has used since the command was given to it; to be disposed of after the last reading */
  counters: Counters;
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<void>;
};

/** Capabilities of `user: root`: those package managers need to own, hand over and run what they install. */
export const ROOT_CAPABILITIES: readonly string[] = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETFCAP', 'SETGID', 'SETUID', 'SYS_CHROOT'];

/** Where the gateway answers DNS: init starts nothing where it does not reach it, for then the sandbox is in another network. */
const GATEWAY = '127.0.0.1:53';

/** How long after the deadline the sandbox ends by itself should this process hang. */
const BACKSTOP_SECONDS = 15;

/** Creates the capped container; the gateway's and all volumes must have been created, and the disk be filled and the gateway ready before `launch`. */
export async function createSandbox(engine: Engine, options: SandboxOptions): Promise<CreatedSandbox> {
  const owned = await createContainer(engine, { what: options.what ?? 'sandbox', spec: sandboxSpec(options) });
  try {
    // Podman mounts what the container has as soon as it is attached to: there it waits for the disk.
    const [attached] = await Promise.all([engine.podmanVersion !== null ? null : attach(engine, owned), holdToCaps(owned, options)]);
    return {
      launch: async () => launchSandbox({ owned, stream: attached ?? await attach(engine, owned), wallSeconds: options.limits.wallSeconds }),
      [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
    };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

/** @throws EngineError where a cap would not hold: code that is not trusted must not run without it */
async function holdToCaps({ container }: OwnedContainer, options: SandboxOptions): Promise<void> {
  const { limits, mounts } = options;
  const [{ HostConfig, Mounts }, swapBytes] = await Promise.all([container.inspect(), readSwapBytes()]);
  const foreign = Mounts.find(({ Type, Name }) => Type === 'volume' && !mounts.some(({ source }) => source === Name));
  if (foreign !== undefined) throw new EngineError(`the Docker engine gave the sandbox a volume without a cap at ${JSON.stringify(foreign.Destination)}: use an image without VOLUME, or \`image: runner\``);
  const dropped = droppedCaps(HostConfig, { asked: { ...limits, pids: hostPids(options) }, swapBytes });
  if (dropped.length === 0) return;
  throw new EngineError(`the Docker engine cannot cap ${dropped.join(', ')} on this machine: enable the cgroup controllers (for a rootless engine, delegate them to its user), or use another machine`);
}

type Created = { owned: OwnedContainer; stream: Duplex; wallSeconds: number };

async function launchSandbox(created: Created): Promise<IdleSandbox> {
  await startContainer(created.owned, 'sandbox');
  const { Pid: pid } = (await created.owned.container.inspect()).State;
  return { start: (command) => startCommand({ ...created, pid }, command) };
}

async function startCommand({ owned, stream, wallSeconds, pid }: Created & { pid: number }, command: Command): Promise<Sandbox> {
  // Docker Engine API, ContainerStats.
  const readEngineStats = () => owned.container.stats({ stream: false, 'one-shot': true }).catch(() => null);
  const counters = await openCounters({ pid, containerId: owned.id, readEngineStats });
  const startedMs = performance.now();
  stream.write(`${JSON.stringify(task(command, wallSeconds))}\n`);
  const finished = deferred();
  let end: OutputEnd = { told: false, words: null };
  return {
    containerId: owned.id,
    startedMs,
    counters,
    output: readOutput(stream, { token: command.token, onEnd: (how) => { end = how; finished.resolve(); } }),
    finished: finished.promise,
    release: async () => {
      stream.write('\n');
      const state = await endOf(owned);
      // Beside what else is ended now; whoever disposes of it waits, and sees a failure.
      Promise.resolve(owned[Symbol.asyncDispose]()).catch(() => {});
      return { exitCode: state?.ExitCode ?? null, told: end.told, oomKilled: state?.OOMKilled ?? false, refusal: state?.ExitCode === NOT_STARTED ? end.words : null };
    },
    signal: async (name) => {
      await owned.container.kill({ signal: name }).catch((error: unknown) => {
        // 409: it is not running any more, which is what was wanted.
        const { statusCode } = error as { statusCode?: number };
        if (statusCode !== 404 && statusCode !== 409) throw new Error(`cannot send ${name} to the sandbox: ${engineMessage(error)}`);
      });
    },
  };
}

/** null where somebody has removed the container */
async function endOf({ container }: OwnedContainer): Promise<{ ExitCode: number; OOMKilled: boolean } | null> {
  try {
    await container.wait();
    return (await container.inspect()).State;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function sandboxSpec(options: SandboxOptions) {
  const { limits, user } = options;
  return {
    name: `decoy-${options.runId}-${options.what ?? 'sandbox'}`,
    Image: options.image,
    Entrypoint: [options.guestPath, 'init', ...(options.runtime.isGvisor ? ['gvisor'] : [])],
    Labels: options.labels,
    User: `${user.uid}:${user.gid}`,
    Env: options.imageVariables.map((name) => `${name}=`),
    WorkingDir: '/',
    Healthcheck: { Test: ['NONE'] },
    AttachStdin: true, OpenStdin: true, StdinOnce: true, AttachStdout: true, AttachStderr: true,
    HostConfig: {
      ...(options.runtime.name === null ? {} : { Runtime: options.runtime.name }),
      NetworkMode: `container:${options.gatewayContainerId}`,
      Mounts: options.mounts.flatMap(volumeMount),
      Binds: options.mounts.flatMap(bindMount),
      CapDrop: ['ALL'],
      CapAdd: user.uid === 0 ? [...options.rootCapabilities ?? ROOT_CAPABILITIES] : [],
      SecurityOpt: ['no-new-privileges=true'],
      ReadonlyRootfs: true,
      Memory: limits.memoryBytes,
      // Equal to the memory: no swap on top of it.
      MemorySwap: limits.memoryBytes,
      NanoCpus: Math.round(limits.cpus * 1e9),
      PidsLimit: hostPids(options),
      IpcMode: 'private',
      CgroupnsMode: 'private' as const,
      // Counted in the memory cap; browsers need more than the engine's 64 MiB.
      ShmSize: Math.floor(limits.memoryBytes / 2),
      // When the host runs short, the sandbox goes before the runner does.
      OomScoreAdj: 500,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }, ...(options.runtime.isGvisor ? [{ Name: 'nproc', Soft: limits.pids, Hard: limits.pids }] : [])],
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

/**
 * The sandbox's cgroup counts the host's threads. gVisor has some of its own for each of the sandbox's, and ends when it gets no more: there
 * its own RLIMIT_NPROC (getrlimit(2)) is the cap, for each user, and this one lies above it.
 */
function hostPids({ runtime, limits }: Pick<SandboxOptions, 'runtime' | 'limits'>): number {
  return runtime.isGvisor ? GVISOR_OWN_THREADS + GVISOR_THREADS_EACH * limits.pids : limits.pids;
}

const GVISOR_OWN_THREADS = 256;
const GVISOR_THREADS_EACH = 3;

function volumeMount({ kind, source: Source, target: Target, readOnly: ReadOnly }: SandboxMount) {
  return kind === 'volume' ? [{ Type: 'volume' as const, Source, Target, ReadOnly, VolumeOptions: { NoCopy: true } as never }] : [];
}

/**
 * As a string, because the engine looks for the source of a mount's other form when the container is created, before there is a disk.
 * Should the disk be missing when it is started, the copy-on-write volumes, whose upper directories lie there, keep it from starting.
 */
function bindMount({ kind, source, target, readOnly }: SandboxMount) {
  return kind === 'bind' ? [`${source}:${target}:${readOnly ? 'ro' : 'rw'}`] : [];
}

function task(command: Command, wallSeconds: number) {
  return {
    token: command.token,
    argv: command.argv,
    env: Object.entries(command.environment).map(([name, value]) => `${name}=${value}`),
    cwd: command.directory,
    killAfterSeconds: Math.ceil(wallSeconds) + BACKSTOP_SECONDS,
    gateway: GATEWAY,
  };
}

const CHANNELS = ['stdout', 'stderr'] as const;

/** What init exits with, and without a marker, where it does not start the command: only then is all that was printed its own words. */
const NOT_STARTED = 125;
const MAX_WORDS = 8192;
const INIT_WORDS = /^decoy: (.+?)\n*$/s;

/** `told`: whether the markers came. `words`: init's own, where they did not; null where there are none. */
type OutputEnd = { told: boolean; words: string | null };

/** The command's output without the markers that end it; whatever way the stream ends, `onEnd` is called. */
async function* readOutput(stream: Duplex, options: { token: string; onEnd(end: OutputEnd): void }): AsyncGenerator<OutputFrame> {
  const open = new Map(CHANNELS.map((channel) => [channel, createMarkerFilter(options.token)]));
  let said = '';
  try {
    for await (const frame of demultiplex(stream)) {
      const filter = open.get(frame.channel);
      if (filter === undefined) continue;
      const { bytes, ended } = filter.push(frame.bytes);
      if (frame.channel === 'stderr' && said.length < MAX_WORDS) said += bytes.toString();
      if (bytes.length > 0) yield { channel: frame.channel, bytes };
      if (ended) open.delete(frame.channel);
      // The engine carries the two side by side: what one still holds may come after the other's end.
      if (open.size === 0) return;
    }
    for (const [channel, filter] of open) {
      const rest = filter.flush();
      if (rest.length > 0) yield { channel, bytes: rest };
    }
  } finally {
    options.onEnd({ told: open.size === 0, words: open.size === 0 ? null : INIT_WORDS.exec(said)?.[1] ?? null });
  }
}
