import type { Engine } from './engine.ts';
import type { Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import type { SandboxMount } from './sandbox.ts';
import { createVolume, type Volume } from './volume.ts';

/** A volume as a run asks for it. */
export type VolumeRequest = {
  name: string;
  /** absolute path in the sandbox */
  path: string;
  /** null: what it has, and 2 GiB where it is new */
  sizeBytes: number | null;
  readOnly: boolean;
};

/** `folder`: the volume's own on the host, which the keeper gets. */
export type NamedVolume = VolumeRequest & { folder: string };

/** What a new volume may hold, its own tables included. */
export const DEFAULT_VOLUME_BYTES = 2 * 2 ** 30;

/** Where the keeper has the folder of a volume. */
export function keeperPath(index: number): string {
  return `/volumes/${index}`;
}

export type NameOptions = { runId: string; labels: RunLabels; fileVolume: Volume; index: number };

/**
 * What the engine mounts for the sandbox, once the keeper has opened the volume: nothing in it is a device or raises privileges, whoever
 * wrote it. `discard` gives what is deleted back to the host.
 */
export async function nameVolume(engine: Engine, { runId, labels, fileVolume, index }: NameOptions): Promise<Volume> {
  return createVolume(engine, {
    name: `decoy-${runId}-volume-${index}`, labels,
    driverOptions: { type: 'ext4', device: `${fileVolume.mountpoint}/volume-${index}`, o: 'nosuid,nodev,noatime,discard,errors=remount-ro,noinit_itable' },
  });
}

export function mountOf({ path, readOnly }: NamedVolume, { name }: Volume): SandboxMount {
  return { kind: 'volume', source: name, target: path, readOnly };
}

/** @throws EngineError where one is in use, damaged, or of another size than was asked for */
export async function openVolumes(keeper: Keeper, { volumes, user }: { volumes: readonly NamedVolume[]; user: { uid: number; gid: number } }): Promise<void> {
  for (const [index, { name, sizeBytes }] of volumes.entries()) {
    await keeper.openVolume({ index, name, sizeBytes: sizeBytes ?? DEFAULT_VOLUME_BYTES, exact: sizeBytes !== null, owner: user });
  }
}
