import http from 'node:http';
import { createContainer, engineMessage, type OwnedContainer } from './container.ts';
import { EngineError, type Engine } from './engine.ts';
import type { Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import { packTree } from './runner-files/pack-tree.ts';
import { createVolume, type Volume } from './volume.ts';

export type DiskOptions = { image: string; runId: string; labels: RunLabels; fileVolume: Volume };

/** The sandbox's disk as the engine knows it before it exists: its keeper makes it, `hold` mounts it. */
export type Disk = AsyncDisposable & {
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
 * no fixed order, so the disk must be mounted before the sandbox starts. The engine mounts a container's volumes while it
 * unpacks an archive into it, even if the container never ran: an unfinished upload therefore holds the mount, at the cost of
 * one API request instead of one more container start.
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
    path: volume.mountpoint,
    hold: async (keeper) => {
      const opened = openHold(engine, (await creating).id);
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

const TAR_BLOCK_BYTES = 512;

/** An archive ends with two zero blocks; without them the engine goes on reading. */
function withoutEndMarker(archive: Buffer): Buffer {
  return archive.subarray(0, archive.length - 2 * TAR_BLOCK_BYTES);
}

type Hold = { failed: Promise<never>; finish(): Promise<void> };

function openHold(engine: Engine, containerId: string): Hold {
  const { socketPath } = engine.docker.modem as unknown as { socketPath: string };
  const request = http.request({
    socketPath, method: 'PUT', path: `/containers/${containerId}/archive?path=/disk`, agent: false,
    headers: { 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' },
  });
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    request.on('error', (error) => reject(new EngineError(`cannot mount the sandbox's disk: ${engineMessage(error)}`)));
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new EngineError(`cannot mount the sandbox's disk: ${text.trim()}`));
      });
    });
  });
  failed.catch(() => {});
  request.write(withoutEndMarker(packTree([{ name: HELD, type: 'file', mode: 0o600, uid: 0, gid: 0, content: '1' }])));
  return {
    failed,
    finish: async () => {
      request.end(Buffer.alloc(2 * TAR_BLOCK_BYTES));
      const timer = setTimeout(() => request.destroy(), 10_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
