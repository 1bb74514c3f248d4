import { engineMessage, isGone } from './container.ts';
import { EngineError, type Engine } from './engine.ts';
import type { RunLabels } from './labels.ts';

/** A Docker volume of this run; removed when disposed of. `mountpoint`: where on the engine's host it is mounted while a container uses it. */
export type Volume = AsyncDisposable & { name: string; mountpoint: string };

export type VolumeSpec = { name: string; labels: RunLabels; driverOptions?: { type: string; device: string; o?: string } };

/** Creates a volume of the engine's `local` driver. It is mounted only while a container uses it. */
export async function createVolume(engine: Engine, spec: VolumeSpec): Promise<Volume> {
  const mountpoint = await requestVolume(engine, spec).catch((error: unknown) => {
    throw new EngineError(`cannot create the volume ${spec.name}: ${engineMessage(error)}`);
  });
  return { name: spec.name, mountpoint, [Symbol.asyncDispose]: () => removeVolume(engine, spec.name).catch((error: unknown) => {
    throw new EngineError(`cannot remove the volume ${spec.name}: ${engineMessage(error)}; run \`decoy clean\``);
  }) };
}

/** What dockerode's createVolume does, but it keeps the answer, which says where the volume lies, to itself. */
function requestVolume(engine: Engine, { name, labels, driverOptions }: VolumeSpec): Promise<string> {
  const options = { Name: name, Driver: 'local', Labels: labels, DriverOpts: driverOptions ?? {} };
  return new Promise((resolve, reject) => {
    engine.docker.modem.dial(
      { path: '/volumes/create?', method: 'POST', options, statusCodes: { 200: true, 201: true, 500: 'server error' } },
      (error: unknown, volume: unknown) => (error ? reject(error as Error) : resolve((volume as { Mountpoint: string }).Mountpoint)),
    );
  });
}

export async function removeVolume(engine: Engine, name: string): Promise<void> {
  try {
    await engine.docker.getVolume(name).remove();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
