import http from 'node:http';
import { createContainer, engineMessage } from './container.ts';
import { EngineError, type Engine } from './engine.ts';
import type { Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import { packTree } from './runner-files/pack-tree.ts';
import { createVolume, volumeMountpoint, type Volume } from './volume.ts';

export type DiskOptions = { image: string; runId: string; labels: RunLabels; device: string; keeper: Keeper };

/** The sandbox's disk as the engine sees it, mounted on the host as long as this value is held. */
export type MountedDisk = AsyncDisposable & {
  /** host directory of the mounted disk */
  path: string;
  /** the volume of the disk itself */
  volume: Volume;
};

const HELD = 'decoy-held';

/**
 * Has the engine mount the disk and keeps it mounted.
 *
 * Overlay volumes name their upper directories by a path on the mounted disk, but an engine mounts a container's volumes in
 * no fixed order, so the disk must be mounted before the sandbox starts. The engine mounts a container's volumes while it
 * unpacks an archive into it, even if the container never ran: an unfinished upload therefore holds the mount, at the cost of
 * one API request instead of one more container start. Mounts of the sandbox keep the file system alive once this is let go.
 */
export async function mountDisk(engine: Engine, options: DiskOptions): Promise<MountedDisk> {
  const volume = await createVolume(engine, {
    name: `decoy-${options.runId}-disk`, labels: options.labels,
    driverOptions: { type: 'ext4', device: options.device, o: 'noatime' },
  });
  const holder = await createContainer(engine, {
    what: 'disk',
    spec: {
      name: `decoy-${options.runId}-disk`, Image: options.image, Entrypoint: ['/decoy-guest'], Labels: options.labels,
      HostConfig: {
        NetworkMode: 'none', ReadonlyRootfs: true, LogConfig: { Type: 'none', Config: {} },
        Mounts: [{ Type: 'volume', Source: volume.name, Target: '/disk', ReadOnly: false, VolumeOptions: { NoCopy: true } as never }],
      },
    },
  });
  const path = await volumeMountpoint(engine, volume.name);
  const upload = openUpload(engine, holder.id);
  const release = async () => {
    await upload.finish();
    await holder[Symbol.asyncDispose]();
  };
  try {
    upload.request.write(withoutEndMarker(await packTree([{ name: HELD, type: 'file', mode: 0o600, uid: 0, gid: 0, content: Buffer.from('1') }])));
    await Promise.race([options.keeper.awaitFile(HELD), upload.failed]);
  } catch (error) {
    await release().catch(() => {});
    await Promise.resolve(volume[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
  return { path, volume, [Symbol.asyncDispose]: release };
}

const TAR_BLOCK_BYTES = 512;

/** An archive ends with two zero blocks; without them the engine goes on reading. */
function withoutEndMarker(archive: Buffer): Buffer {
  return archive.subarray(0, archive.length - 2 * TAR_BLOCK_BYTES);
}

type Upload = { request: http.ClientRequest; failed: Promise<never>; finish(): Promise<void> };

function openUpload(engine: Engine, containerId: string): Upload {
  const { socketPath } = engine.docker.modem as unknown as { socketPath: string };
  const request = http.request({
    socketPath, method: 'PUT', path: `/containers/${containerId}/archive?path=/disk`, agent: false,
    headers: { 'content-type': 'application/x-tar', 'transfer-encoding': 'chunked' },
  });
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    request.once('error', (error) => reject(new EngineError(`cannot mount the sandbox's disk: ${engineMessage(error)}`)));
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new EngineError(`cannot mount the sandbox's disk: ${text.trim()}`));
      });
    });
  });
  failed.catch(() => {});
  return {
    request,
    failed,
    finish: async () => {
      request.end(Buffer.alloc(2 * TAR_BLOCK_BYTES));
      const timer = setTimeout(() => request.destroy(), 10_000);
      await closed;
      clearTimeout(timer);
    },
  };
}
