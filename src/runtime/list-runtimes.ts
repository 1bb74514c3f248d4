import type { Engine } from '../sandbox/engine.ts';

/** As the engine describes one (Docker Engine API, Runtime): `path` is null for those containerd starts by their type. */
export type EngineRuntime = { path?: string | null; runtimeArgs?: readonly string[] | null };

export async function listRuntimes({ docker }: Engine): Promise<Readonly<Record<string, EngineRuntime>>> {
  const { Runtimes } = await docker.info() as { Runtimes?: Record<string, EngineRuntime> | null };
  return Runtimes ?? {};
}
