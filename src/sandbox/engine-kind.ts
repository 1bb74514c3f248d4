import type { Engine } from './engine.ts';

export type EngineKind = 'Docker' | 'Podman';

/** By the components an engine names in its version: Docker's has an `Engine`, Podman a `Podman Engine`. */
export function engineKind({ Components }: { Components?: readonly { Name: string }[] | null }): EngineKind {
  return Components?.some(({ Name }) => Name.startsWith('Podman')) ? 'Podman' : 'Docker';
}

export async function askEngineKind({ docker }: Engine): Promise<EngineKind> {
  return engineKind(await docker.version() as Parameters<typeof engineKind>[0]);
}
