import { cancelledBy } from './output-lost.ts';
import type { PreparedSandbox } from './prepare-sandbox.ts';
import type { StorageFull } from './report/build-report.ts';
import type { Outcome } from './report/decide-conclusion.ts';
import type { Ledger } from './report/network-ledger.ts';
import type { Limits } from './report/report.ts';
import { deferred } from './sandbox/deferred.ts';
import type { OutputFrame } from './sandbox/demultiplex.ts';
import type { Sandbox, SandboxEnd } from './sandbox/sandbox.ts';
import type { Meter } from './usage/meter.ts';
import type { Sample } from './usage/usage.ts';

export type WatchOptions = {
  limits: Limits; meter: Meter; ledger: Ledger; signal: AbortSignal; onOutput(frame: OutputFrame): Promise<void>;
  /** a reading was taken: twice a second at most, once it goes on */
  onSample?(sample: Sample): void;
  /** called when the command is over and the last reading taken; what it does goes on beside the sandbox's end. `cut`: why it did not end by itself, else null */
  whenOver(cut: Outcome | null): Promise<void>;
  /** rejects when the run must end for another reason */
  failed: Promise<never>;
};

export type Watched = { outcome: Outcome; facts: { commandStartedAt: Date; wallSeconds: number; storageFull: StorageFull; engineSawOom: boolean } };

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 10_000;
/** After SIGKILL the engine must say that the sandbox has ended. */
const KILL_MS = 20_000;
/** Readings come quickly at first, so that short runs have some, and slow down to this. */
const FIRST_INTERVAL_MS = 50;
const LAST_INTERVAL_MS = 500;
/** With less than this on the engine's disk, what the sandbox wrote may have nowhere to go, of which it is told nothing: that is looked at. */
const HOST_SCARCE_BYTES = 64 * 1024 * 1024;
/** A file system this full refuses the next write of any size that matters. */
const FULL_BYTES = 1024 * 1024;

/** Starts the command and stays with it: passes its output on, takes readings, ends it at the deadline or on cancellation. */
export async function watch(prepared: PreparedSandbox, options: WatchOptions): Promise<Watched> {
  const sandbox = await prepared.start();
  const { startedMs } = sandbox;
  const commandStartedAt = new Date(Date.now() - (performance.now() - startedMs));
  const stop = createStop(sandbox, options);
  const sampler = startSampler({ prepared, sandbox, ...options });
  const pumped = pump(sandbox, options.onOutput);
  try {
    await Promise.race([pumped.then(() => sandbox.finished), stop.failed, prepared.lost, options.failed, sampler.failed]);
    // The command is over and its counters still stand: the last reading is the whole truth.
    await sampler.stop();
    await Promise.race([sampler.failed, Promise.resolve()]);
    stop.over();
    const wallSeconds = (performance.now() - startedMs) / 1000;
    const [end] = await Promise.all([sandbox.release(), options.whenOver(stop.outcome())]);
    // What ends a part of the run may end the command as well, and be noticed after it: an engine that is stopped ends all at once.
    const loss = prepared.loss();
    if (loss !== null) throw loss;
    return {
      outcome: stop.outcome() ?? outcomeOf(end, { sawOom: end.oomKilled || options.meter.usage().oomKills > 0 }),
      facts: { commandStartedAt, wallSeconds, storageFull: sampler.storageFull(), engineSawOom: end.oomKilled },
    };
  } catch (error) {
    await sandbox.signal('SIGKILL').catch(() => {});
    await sampler.stop();
    return {
      outcome: { kind: 'error', message: (error as Error).message },
      facts: { commandStartedAt, wallSeconds: (performance.now() - startedMs) / 1000, storageFull: false, engineSawOom: false },
    };
  } finally {
    stop.clear();
  }
}

function outcomeOf({ exitCode, told, refusal }: SandboxEnd, { sawOom }: { sawOom: boolean }): Outcome {
  if (refusal !== null) return { kind: 'error', message: refusal };
  if (told || sawOom) return { kind: 'exited', exitCode: exitCode ?? 137 };
  const how = exitCode === null ? 'its container is gone' : `exit code ${exitCode}`;
  return { kind: 'error', message: `the sandbox ended before its command did (${how}): something outside Decoy ended it, \`docker kill\` say, or its runtime failed; run it again` };
}

async function pump(sandbox: Sandbox, onOutput: WatchOptions['onOutput']): Promise<void> {
  for await (const frame of sandbox.output) await onOutput(frame);
}

/** `over`: there is no deadline any more, for what is still to be done takes no time of the command's. */
type Stop = { outcome(): Outcome | null; failed: Promise<never>; over(): void; clear(): void };

/** SIGTERM at the deadline or on cancellation, SIGKILL ten seconds later: none of it can be caught or outlived in the sandbox. */
function createStop(sandbox: Sandbox, { limits, signal }: WatchOptions): Stop {
  let outcome: Outcome | null = null;
  const timers: NodeJS.Timeout[] = [];
  let fail!: (error: Error) => void;
  const failed = new Promise<never>((_, reject) => { fail = reject; });
  failed.catch(() => {});
  const end = (why: Outcome) => {
    if (outcome !== null) return;
    outcome = why;
    sandbox.signal(why.kind === 'cancelled' ? why.signal : 'SIGTERM').catch(fail);
    const graceMs = why.kind === 'timeout' ? GRACE_MS : CANCEL_GRACE_MS;
    timers.push(setTimeout(() => {
      sandbox.signal('SIGKILL').catch(fail);
      timers.push(setTimeout(() => fail(new Error('the sandbox did not end after SIGKILL; run `decoy clean`')), KILL_MS));
    }, graceMs));
  };
  timers.push(setTimeout(() => end({ kind: 'timeout' }), sandbox.startedMs + limits.wallSeconds * 1000 - performance.now()));
  const cancel = () => end(cancelledBy(signal));
  const clearTimers = () => timers.forEach((timer) => clearTimeout(timer));
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  return {
    outcome: () => outcome,
    failed,
    over: clearTimers,
    clear: () => {
      clearTimers();
      signal.removeEventListener('abort', cancel);
    },
  };
}

/** GitHub kills a cancelled step 7.5 s after SIGINT and 2.5 s after SIGTERM: the report must be written before. */
const CANCEL_GRACE_MS = 2_000;

/** `failed` rejects when what the sandbox wrote is lost. */
type Sampler = { stop(): Promise<void>; storageFull(): StorageFull; failed: Promise<never> };

function startSampler({ prepared, sandbox: { counters, startedMs }, meter, ledger, onSample }: { prepared: PreparedSandbox; sandbox: Sandbox } & WatchOptions): Sampler {
  const { promise: failed, reject: fail } = deferred<never>();
  failed.catch(() => {});
  let full: StorageFull = false;
  let scarce = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let lastRead: Promise<void> = Promise.resolve();
  const read = async () => {
    const [reading, disk] = await Promise.all([counters.read(performance.now() - startedMs), prepared.filesystem.keeper.readDiskUse()]);
    if (disk !== null && disk.freeBytes < FULL_BYTES) full = 'bytes';
    else if (disk?.inodesFree === 0) full ||= 'files';
    if (disk !== null && disk.hostFreeBytes < HOST_SCARCE_BYTES) scarce = true;
    if (disk !== null && (disk.hostFreeBytes < FULL_BYTES || (stopped && scarce)) && (await prepared.filesystem.keeper.readDiskUse({ flush: true }))?.lostWrites) fail(new Error(LOST_WRITES));
    if (reading !== null) onSample?.(meter.add({ ...reading, storageBytes: disk?.usedBytes ?? null }, ledger.counts()));
  };
  const schedule = (intervalMs: number) => {
    timer = setTimeout(() => {
      lastRead = read().then(() => { if (!stopped) schedule(Math.min(intervalMs * 1.5, LAST_INTERVAL_MS)); });
    }, intervalMs);
  };
  schedule(FIRST_INTERVAL_MS);
  return {
    failed,
    storageFull: () => full,
    stop: async () => {
      if (stopped) return;
      stopped = true;
      clearTimeout(timer);
      await lastRead;
      await read();
      await counters[Symbol.asyncDispose]();
    },
  };
}

const LOST_WRITES = "the disk of the Docker engine's host is full, and what the command wrote is lost in part: make room there (docker system df shows what the engine keeps), or lower `storage` to what is free";
