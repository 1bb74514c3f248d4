import fs from 'node:fs/promises';
import path from 'node:path';
import type { Host } from '../config.ts';
import { EngineError, type Engine } from '../sandbox/engine.ts';
import type { SandboxRuntime } from '../sandbox/runtime.ts';
import { listRuntimes, nameRuntimes, type EngineRuntime } from './list-runtimes.ts';
import { registerRuntime } from './register-runtime.ts';
import { CORRECT_ARGUMENTS, findHarmfulArguments, RUNSC_ARGUMENTS } from './runsc-arguments.ts';

export type ProvideOptions = { name: string; host: Host; signal: AbortSignal; onProgress(text: string): void };

/**
 * A runtime the engine has is used as it is, held to what Decoy promises. `runsc`, where the engine has none, is fetched and registered.
 * @throws EngineError with the remedy where the sandbox would not get what was asked for
 */
export async function provideRuntime(engine: Engine, { name, host, signal, onProgress }: ProvideOptions): Promise<SandboxRuntime> {
  const known = await findKnown(engine, name);
  if (known !== null) return known;
  const { fetchRunsc } = await import('./fetch-runsc.ts');
  const file = await fetchRunsc({ source: host.runsc, signal, onProgress });
  if (signal.aborted) return { name: null, isGvisor: false };
  onProgress('registering gVisor with the Docker engine');
  await registerRuntime(engine, { runtime: { name, path: file, runtimeArgs: RUNSC_ARGUMENTS }, dockerHost: host.dockerHost });
  return { name, isGvisor: true };
}

/**
 * The runtime as the engine has it, or null for a `runsc` that it has not.
 * @throws EngineError with the remedy where it is none that Decoy can use
 */
export async function findKnown(engine: Engine, name: string): Promise<SandboxRuntime | null> {
  if (engine.podmanVersion !== null) throw new EngineError(`runtime: Podman's Docker API takes no runtime by name, so that ${JSON.stringify(name)} would not be what runs: leave \`runtime\` out, or use Docker`);
  const runtimes = await listRuntimes(engine);
  const found = Object.hasOwn(runtimes, name) ? runtimes[name] : undefined;
  if (found !== undefined) return await useRegistered(name, found);
  // A type is no entry of the engine's: containerd looks for its shim in the PATH (`io.containerd.kata.v2` is containerd-shim-kata-v2).
  if (name.startsWith('io.containerd.')) return { name, isGvisor: name.startsWith('io.containerd.runsc.') };
  if (name === 'runsc') return null;
  throw new EngineError(`runtime: the Docker engine has no runtime ${JSON.stringify(name)}, only ${nameRuntimes(runtimes).join(', ')}: register it in the engine's daemon.json, or use \`runtime: runc\``);
}

async function useRegistered(name: string, { path: program, runtimeArgs }: EngineRuntime): Promise<SandboxRuntime> {
  const isGvisor = isGvisorRuntime(name, program);
  if (!isGvisor || !program) return { name, isGvisor };
  if (path.isAbsolute(program) && !await fs.access(program).then(() => true, () => false)) {
    throw new EngineError(`runtime: the Docker engine has ${JSON.stringify(name)} at ${program}, where there is nothing: put gVisor's runsc there, or take the entry out of daemon.json and reload the engine, and Decoy fetches it anew`);
  }
  const harmful = findHarmfulArguments(runtimeArgs ?? []);
  if (harmful.length === 0) return { name, isGvisor };
  throw new EngineError(`runtime: the Docker engine has ${JSON.stringify(name)} with arguments that will not do: ${harmful.join('; ')}; ${CORRECT_ARGUMENTS}`);
}

/** By the name of the program, or of the shim. What it really is Decoy's init finds out before the command starts. */
export function isGvisorRuntime(name: string, program: string | null | undefined): boolean {
  return program ? path.basename(program).startsWith('runsc') : /^(io\.containerd\.)?runsc\b/.test(name);
}
