import type { Engine } from '../sandbox/engine.ts';
import { runConfined } from '../sandbox/run-confined.ts';
import { createMeter } from '../usage/meter.ts';
import type { PreparedService, ServicesOptions } from './open-services.ts';

export type RunningService = {
  /** resolves when it is healthy, or the run is cancelled; throws a sentence with its last words when it is not in time, or has ended */
  healthy: Promise<void>;
  /** takes the last reading; what ends it from now on is Decoy */
  end(): Promise<void>;
  /** for a run that failed: no reading, and its end is nothing to tell */
  abandon(): void;
};

const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 1000;
const READ_EVERY_MS = 1000;

/** Gives a service its command, keeps what it prints, and takes readings until `end`. */
export async function runService(engine: Engine, service: PreparedService, options: Pick<ServicesOptions, 'isListening' | 'signal' | 'onWarning'>): Promise<RunningService> {
  const { request, record, made, idle, described } = service;
  const running = await idle.start(described.command);
  const state = { isOver: false, hasEnded: false, isEnding: false };
  const meter = createMeter({ storageEnforcement: 'hard' });
  const stop = new AbortController();

  const read = async () => {
    const [reading, disk] = await Promise.all([running.counters.read(performance.now() - running.startedMs), made.keeper.readDiskUse()]);
    if (reading === null) return;
    meter.add({ ...reading, storageBytes: disk?.usedBytes ?? null });
    const { cpuSeconds, memoryPeakBytes, oomKills, pidsPeak, storagePeakBytes } = meter.usage();
    record.usage = { cpuSeconds, memoryPeakBytes, oomKills, pidsPeak, storagePeakBytes };
  };
  const readings = (async () => {
    while (!state.isOver && !state.hasEnded) {
      await read();
      await pause(READ_EVERY_MS, stop.signal);
    }
  })();
  const ended = (async () => {
    for await (const { bytes } of running.output) record.log.add(bytes);
    await running.finished;
    if (state.isEnding) return;
    await read();
    state.hasEnded = true;
    stop.abort();
    const end = await running.release();
    record.exitCode = end.exitCode;
    if (end.refusal !== null) record.log.add(Buffer.from(`${end.refusal}\n`));
    if (record.startSeconds !== null && !state.isOver) options.onWarning(`service ${request.name} ended with exit code ${end.exitCode} while the command ran: ${record.log.lastWords() || 'it printed nothing'}`);
  })();
  ended.catch(() => {});
  readings.catch(() => {});

  const isHealthy = async (): Promise<boolean> => {
    if (request.health.kind === 'port') return options.isListening(request.health.port);
    return await runConfined(engine, { containerId: running.containerId, argv: request.health.argv, environment: described.command.environment, signal: stop.signal }) === 0;
  };
  const becomeHealthy = async () => {
    const deadlineMs = running.startedMs + request.healthSeconds * 1000;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
      if (options.signal.aborted) return;
      const healthy = await within(isHealthy(), { deadlineMs, ended });
      if (state.hasEnded) {
        await ended;
        throw new Error(`${named(service)} ended with exit code ${record.exitCode} before it was up; ${lastWords(service)}`);
      }
      if (healthy) break;
      if (performance.now() >= deadlineMs) throw new Error(`${named(service)} was not up within ${request.healthSeconds} s (${describeHealth(service)}): correct it, or raise \`health-timeout\`; ${lastWords(service)}`);
      await Promise.race([pause(wait, options.signal), ended]);
    }
    record.startSeconds = Math.round(performance.now() - running.startedMs) / 1000;
  };
  const healthy = becomeHealthy();
  healthy.catch(() => {});
  return {
    healthy,
    abandon: () => {
      state.isOver = state.isEnding = true;
      stop.abort();
    },
    end: async () => {
      state.isOver = true;
      if (!state.hasEnded) await read();
      state.isEnding = true;
      stop.abort();
      await readings;
      await running.counters[Symbol.asyncDispose]();
    },
  };
}

function named({ request }: PreparedService): string {
  return `services: service \`${request.name}\``;
}

function lastWords({ record }: PreparedService): string {
  const words = record.log.lastWords();
  return words === '' ? 'it printed nothing' : `it last said: ${words}`;
}

function describeHealth({ request: { health } }: PreparedService): string {
  return health.kind === 'port' ? `nothing listens on port ${health.port}` : 'its health command did not succeed';
}

/** False where the time is over, or the service has ended, first. */
async function within(look: Promise<boolean>, { deadlineMs, ended }: { deadlineMs: number; ended: Promise<void> }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), Math.max(0, deadlineMs - performance.now())); });
  look.catch(() => {});
  try {
    return await Promise.race([look, late, ended.then(() => false)]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
