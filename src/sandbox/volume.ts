import { engineMessage, isGone } from './container.ts';
import { EngineError, type Engine } from './engine.ts';
import type { RunLabels } from './labels.ts';

/** A Docker volume of this run; removed when disposed of. */
export type Volume = AsyncDisposable & { name: string };

export type VolumeSpec = { name: string; labels: RunLabels; driverOptions?: { type: string; device: string; o?: string } };

/** Creates a volume of the engine's `local` driver. It is mounted only while a container uses it. */
export async function createVolume(engine: Engine, spec: VolumeSpec): Promise<Volume> {
  await engine.docker
    .createVolume({ Name: spec.name, Driver: 'local', Labels: spec.labels, DriverOpts: spec.driverOptions ?? {} })
    .catch((error: unknown) => {
      throw new EngineError(`cannot create the volume ${spec.name}: ${engineMessage(error)}`);
    });
  return { name: spec.name, [Symbol.asyncDispose]: () => removeVolume(engine, spec.name) };
}

/** The directory on the engine's host at which it mounts a volume while a container uses it. */
export async function volumeMountpoint(engine: Engine, name: string): Promise<string> {
  return (await engine.docker.getVolume(name).inspect()).Mountpoint;
}

export async function removeVolume(engine: Engine, name: string): Promise<void> {
  try {
    await engine.docker.getVolume(name).remove();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
