import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { removeContainer } from './sandbox/container.ts';
import { connectEngine } from './sandbox/engine.ts';
import { ownerIsAlive } from './sandbox/labels.ts';
import { removeVolume } from './sandbox/volume.ts';

export type CleanOptions = {
  dockerHost?: string | undefined;
  /** only this run, even if its process still runs */
  runId?: string | undefined;
  /** also the image all containers start from */
  images: boolean;
};

export type Cleaned = { containers: number; volumes: number; directories: number; images: number };

/** Removes what runs left behind whose process is gone: containers, volumes (and with them mounts and loop devices), directories. */
export async function clean(options: CleanOptions): Promise<Cleaned> {
  const engine = await connectEngine({ dockerHost: options.dockerHost });
  const isLeftover = (labels: Record<string, string | undefined>) => (
    options.runId === undefined ? !ownerIsAlive(labels) : labels['decoy.run'] === options.runId
  );
  // Both labels: an image's labels show on its containers, so `decoy=1` alone could be somebody else's container.
  const filters = JSON.stringify({ label: ['decoy=1', 'decoy.run'] });
  const containers = (await engine.docker.listContainers({ all: true, filters })).filter(({ Labels }) => isLeftover(Labels));
  await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker.getContainer(Id))));
  const volumes = ((await engine.docker.listVolumes({ filters })).Volumes ?? []).filter(({ Labels }) => isLeftover(Labels ?? {}));
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
  const directories = await removeDirectories(isLeftover);
  const images = options.images ? await engine.docker.listImages({ filters: JSON.stringify({ reference: ['decoy-root'] }) }) : [];
  await Promise.all(images.map(({ Id }) => engine.docker.getImage(Id).remove({ force: false })));
  return { containers: containers.length, volumes: volumes.length, directories, images: images.length };
}

async function removeDirectories(isLeftover: (labels: Record<string, string>) => boolean): Promise<number> {
  let removed = 0;
  for (const parent of new Set([os.tmpdir(), '/tmp'])) {
    for (const name of await fs.readdir(parent).catch(() => [])) {
      if (!/^decoy-[0-9a-f]{12}$/.test(name)) continue;
      const directory = path.join(parent, name);
      const labels = await fs.readFile(path.join(directory, 'owner.json'), 'utf8').then((text) => JSON.parse(text) as Record<string, string>).catch(() => null);
      if (labels === null || !isLeftover(labels)) continue;
      await fs.rm(directory, { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}
