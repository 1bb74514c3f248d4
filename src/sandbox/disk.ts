import { createContainer, type OwnedContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { openHold, type Hold } from './hold-mount.ts';
import type { Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import { createVolume, type Volume } from './volume.ts';

export type DiskOptions = { image: string; runId: string; labels: RunLabels; fileVolume: Volume };

/** The sandbox's disk as the engine knows it before it exists: its keeper makes it, `hold` mounts it. */
export type Disk = AsyncDisposable & {
  /** name of its volume */
  volume: string;
  /** host directory of the disk while it is mounted */
  path: string;
  /** Has the engine mount the disk, which the keeper must have opened, and keep it mounted until `letGo`. */
  hold(keeper: Keeper): Promise<{ confirmed(): Promise<void> }>;
  /** Ends the hold; mounts of the sandbox keep the file system from then on. */
  letGo(): Promise<void>;
};

const HELD = 'decoy-held';
/** The keeper's link to the loop device, in the volume of the disk file: a name that is known before the device. */
const DEVICE_LINK = 'device';

/**
 * Names the disk and the container that will hold it.
 *
 * Overlay volumes name their upper directories by a path on the mounted disk, but an engine mounts a container's volumes in
 * no fixed order, so the disk must be mounted before the sandbox starts, which a hold on another container does (hold-mount.ts).
 */
export async function createDisk(engine: Engine, options: DiskOptions): Promise<Disk> {
  const name = `decoy-${options.runId}-disk`;
  const volume = await createVolume(engine, {
    name, labels: options.labels, driverOptions: { type: 'ext4', device: `${options.fileVolume.mountpoint}/${DEVICE_LINK}`, o: 'noatime' },
  });
  const creating = createContainer(engine, { what: 'disk', spec: holderSpec(name, options) });
  creating.catch(() => {});
  let hold: Hold | null = null;
  let gone: Promise<void> | null = null;
  const letGo = () => (gone ??= end(hold, creating));
  return {
    volume: name,
    path: volume.mountpoint,
    hold: async (keeper) => {
      const opened = openHold(engine, { containerId: (await creating).id, directory: '/disk', marker: HELD, what: 'the sandbox\'s disk' });
      hold = opened;
      return { confirmed: () => Promise.race([keeper.awaitFile(HELD), opened.failed]) };
    },
    letGo,
    [Symbol.asyncDispose]: async () => {
      await letGo();
      await volume[Symbol.asyncDispose]();
    },
  };
}

function holderSpec(name: string, options: DiskOptions) {
  return {
    name, Image: options.image, Entrypoint: ['/decoy-guest'], Labels: options.labels,
    HostConfig: {
      NetworkMode: 'none', ReadonlyRootfs: true, LogConfig: { Type: 'none', Config: {} },
      Mounts: [{ Type: 'volume' as const, Source: name, Target: '/disk', ReadOnly: false, VolumeOptions: { NoCopy: true } as never }],
    },
  };
}

async function end(hold: Hold | null, creating: Promise<OwnedContainer>): Promise<void> {
  await hold?.finish();
  const holder = await creating.catch(() => null);
  await holder?.[Symbol.asyncDispose]();
}
