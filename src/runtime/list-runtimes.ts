import type { Engine } from '../sandbox/engine.ts';

/** As the engine describes one (Docker Engine API, Runtime): `path` is null for those containerd starts by their type. */
export type EngineRuntime = { path?: string | null; runtimeArgs?: readonly string[] | null };

export async function listRuntimes({ docker }: Engine): Promise<Readonly<Record<string, EngineRuntime>>> {
  const { Runtimes } = await docker.info() as { Runtimes?: Record<string, EngineRuntime> | null };
  return Runtimes ?? {};
}

/** Those worth naming, in the order of the alphabet; the engine lists containerd's types beside them in some versions. */
export function nameRuntimes(runtimes: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(runtimes).filter((name) => !name.startsWith('io.containerd.')).sort();
}
