import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, type Engine } from '../sandbox/engine.ts';
import { findEngineProcess, type EngineProcess } from './find-engine-process.ts';
import { mergeDaemonConfiguration, type RegisteredRuntime } from './merge-daemon-configuration.ts';
import { listRuntimes } from './list-runtimes.ts';
import { replaceAsRoot, rootPrefix } from './replace-as-root.ts';

/** An engine takes its configuration up within milliseconds of the signal; others' containers go on meanwhile. */
const TAKEN_UP_MS = 15_000;
const LOOK_AGAIN_MS = 50;
/** Whoever loses the race for the file reads it again; of so many at once one is done each time. */
const TRIES = 50;

/**
 * Adds a runtime to the engine's daemon.json and has it read that again (SIGHUP), which leaves its containers alone. Several at once may do so.
 * @throws EngineError with the exact remedy, where that cannot be done; the file is then as it was
 */
export async function registerRuntime(engine: Engine, { runtime, dockerHost }: Registration): Promise<void> {
  const refuse = refusal(runtime);
  const { found, prefix } = await findWay({ runtime, dockerHost });
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const before = await readConfiguration(found).catch((error: Error) => { throw refuse(error.message); });
    const merged = mergeDaemonConfiguration(before, runtime);
    if (!merged.ok) {
      // Another Decoy may have been faster.
      if (merged.isThere && await isTakenUp(engine, runtime.name)) return;
      throw refuse(`${found.configurationFile} is left as it is: ${merged.problem}`);
    }
    const { text: after } = merged;
    const replace = (texts: { before: string | null; after: string | null }) => replaceAsRoot(prefix, { file: found.configurationFile, pid: found.pid, ...texts });
    if (!await replace({ before, after }).catch((error: Error) => { throw refuse(error.message); })) continue;
    if (await isTakenUp(engine, runtime.name)) return;
    await replace({ before: after, after: before }).catch(() => {});
    throw refuse(`the engine did not take it up from ${found.configurationFile}, which is as before now (its own log tells why)`);
  }
  throw refuse(`${found.configurationFile} was changed by somebody else each time`);
}

export type Registration = { runtime: RegisteredRuntime; dockerHost: string | undefined };

/**
 * The file in which the runtime would be registered; changes nothing.
 * @throws EngineError with the exact remedy, where it could not be
 */
export async function whereToRegister({ runtime, dockerHost }: Registration): Promise<string> {
  const refuse = refusal(runtime);
  const { found } = await findWay({ runtime, dockerHost });
  const merged = mergeDaemonConfiguration(await readConfiguration(found).catch((error: Error) => { throw refuse(error.message); }), runtime);
  if (!merged.ok) throw refuse(`${found.configurationFile} is left as it is: ${merged.problem}`);
  return found.configurationFile;
}

async function findWay({ runtime, dockerHost }: Registration): Promise<{ found: EngineProcess; prefix: readonly string[] }> {
  const refuse = refusal(runtime);
  const found = await findEngineProcess(dockerHost).catch((error: Error) => { throw refuse(error.message); });
  const prefix = await rootPrefix();
  if (prefix === null) throw refuse('this user is neither root nor allowed `sudo` without a password');
  return { found, prefix };
}

function refusal(runtime: RegisteredRuntime): (why: string) => EngineError {
  return (why) => new EngineError(`the Docker engine has no runtime ${JSON.stringify(runtime.name)}, and Decoy cannot register it: ${why}; ${remedy(runtime)}`);
}

/** @throws Error where it is there and cannot be read, or is a link: replacing that would cut it off from what it leads to */
async function readConfiguration({ configurationFile: file }: EngineProcess): Promise<string | null> {
  const stats = await fs.lstat(file).catch((error: NodeJS.ErrnoException) => { if (error.code === 'ENOENT') return null; throw error; });
  if (stats === null) return null;
  if (!stats.isFile()) throw new Error(`${file} is not a plain file`);
  return await fs.readFile(file, 'utf8');
}

async function isTakenUp(engine: Engine, name: string): Promise<boolean> {
  const deadline = performance.now() + TAKEN_UP_MS;
  for (;;) {
    if (Object.hasOwn(await listRuntimes(engine), name)) return true;
    if (performance.now() > deadline) return false;
    await sleep(LOOK_AGAIN_MS);
  }
}

function remedy({ name, path, runtimeArgs }: RegisteredRuntime): string {
  return `add ${JSON.stringify({ runtimes: { [name]: { path, runtimeArgs } } })} to its daemon.json as root and run \`sudo systemctl reload docker\`, or use \`runtime: runc\``;
}
