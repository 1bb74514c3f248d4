import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, pingEngine, type Engine } from './engine.ts';

/** Between two questions to an engine that answers. */
const INTERVAL_MS = 5_000;
/** Without an answer for this long it is given up. Fifty runs that start at once on two cores keep an engine, and this process, from answering for more than 20 s. */
const PATIENCE_MS = 60_000;
/** After an error, whose cause it may be; by then it has mostly ended. */
const LAST_LOOK_MS = 3_000;

/**
 * Asks the engine now and then whether it is there, until disposed of. Where it is not, every connection to it breaks: a request may take an
 * engine minutes, so that it is not the request that tells.
 */
export function watchEngine(engine: Engine): AsyncDisposable {
  const over = new AbortController();
  void watch(engine, over.signal).catch(() => {});
  return { [Symbol.asyncDispose]: async () => over.abort() };
}

async function watch(engine: Engine, signal: AbortSignal): Promise<void> {
  let answeredMs = performance.now();
  for (;;) {
    await sleep(INTERVAL_MS, undefined, { signal, ref: false });
    // Refused at once or not answered at all: both may pass, as when the engine is started anew.
    const leftMs = answeredMs + PATIENCE_MS - performance.now();
    const problem = await pingEngine(engine, Math.max(leftMs, INTERVAL_MS)).then(() => null, (error: Error) => error);
    signal.throwIfAborted();
    if (problem === null) answeredMs = performance.now();
    else if (performance.now() - answeredMs >= PATIENCE_MS) return engine.connections.break(new EngineError(describe(engine, problem)));
  }
}

/** For when something has failed: whether that was because the engine is not there any more; else null. */
export async function findEngineProblem(engine: Engine): Promise<string | null> {
  if (engine.connections.lost !== null) return engine.connections.lost.message;
  const problem = await pingEngine(engine, LAST_LOOK_MS).then(() => null, (error: Error) => error);
  // A busy one may take longer; one that has ended refuses at once.
  return problem !== null && hasEnded(problem) ? describe(engine, problem) : null;
}

function describe({ socketPath }: Engine, error: Error): string {
  const [what, remedy] = hasEnded(error) ? ['ended', 'start it again'] : ['stopped answering', 'restart it'];
  return `the Docker engine at ${socketPath} ${what} during the run: ${remedy} (sudo systemctl restart docker), then run \`decoy clean\` to remove what is left`;
}

function hasEnded(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
}
