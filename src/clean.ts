import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isAbandoned } from './owned-directory.ts';
import { engineMessage, removeContainer } from './sandbox/container.ts';
import { connectEngine } from './sandbox/engine.ts';
import { ownerIsAlive } from './sandbox/labels.ts';
import { removeVolume } from './sandbox/volume.ts';
import { watchEngine } from './sandbox/watch-engine.ts';

export type CleanOptions = {
  dockerHost?: string | undefined;
  /** only this run, even if its process still runs */
  runId?: string | undefined;
  /** also the image all containers start from */
  images: boolean;
};

export type Cleaned = { containers: number; volumes: number; directories: number; images: number };

/**
 * Removes what runs left behind whose process is gone: containers, volumes (and with them mounts and loop devices), directories.
 * @throws Error naming what could not be removed, when all else is
 */
export async function clean(options: CleanOptions): Promise<Cleaned> {
  const isLeftover = (labels: Record<string, string | undefined>) => (
    options.runId === undefined ? !ownerIsAlive(labels) : labels['decoy.run'] === options.runId
  );
  const problems: string[] = [];
  const removed = await removeFromEngine(options, { isLeftover, problems }).catch((error: Error) => {
    problems.push(error.message);
    return { containers: 0, volumes: 0, images: 0 };
  });
  // Also where there is no engine.
  const directories = await removeDirectories(isLeftover);
  if (problems.length > 0) throw new Error(problems.join('; '));
  return { ...removed, directories };
}

type Removing = { isLeftover(labels: Record<string, string | undefined>): boolean; problems: string[] };

async function removeFromEngine({ dockerHost, images }: CleanOptions, { isLeftover, problems }: Removing): Promise<Omit<Cleaned, 'directories'>> {
  const engine = await connectEngine({ dockerHost });
  await using _watched = watchEngine(engine);
  const removeEach = async (what: string, removals: { name: string; remove(): Promise<unknown> }[]) => {
    const results = await Promise.allSettled(removals.map(({ remove }) => remove()));
    results.forEach((result, index) => {
      if (result.status === 'rejected') problems.push(`cannot remove the ${what} ${removals[index]!.name}: ${engineMessage(result.reason)}`);
    });
    return results.filter(({ status }) => status === 'fulfilled').length;
  };
  // Both labels: an image's labels show on its containers, so `decoy=1` alone could be somebody else's container.
  const filters = JSON.stringify({ label: ['decoy=1', 'decoy.run'] });
  const containers = (await engine.docker.listContainers({ all: true, filters })).filter(({ Labels }) => isLeftover(Labels));
  const removedContainers = await removeEach('container', containers.map(({ Id, Names }) => ({ name: Names[0]?.slice(1) ?? Id, remove: () => removeContainer(engine.docker.getContainer(Id)) })));
  const volumes = ((await engine.docker.listVolumes({ filters })).Volumes ?? []).filter(({ Labels }) => isLeftover(Labels ?? {}));
  const removedVolumes = await removeEach('volume', volumes.map(({ Name }) => ({ name: Name, remove: () => removeVolume(engine, Name) })));
  const found = images ? await engine.docker.listImages({ filters: JSON.stringify({ reference: ['decoy-root'] }) }) : [];
  const removedImages = await removeEach('image', found.map(({ Id, RepoTags }) => ({ name: RepoTags?.[0] ?? Id, remove: () => engine.docker.getImage(Id).remove({ force: false }) })));
  return { containers: removedContainers, volumes: removedVolumes, images: removedImages };
}

async function removeDirectories(isLeftover: (labels: Record<string, string>) => boolean): Promise<number> {
  let removed = 0;
  for (const parent of new Set([os.tmpdir(), '/tmp'])) {
    for (const name of await fs.readdir(parent).catch(() => [])) {
      const directory = path.join(parent, name);
      if (!(isAbandoned(name) && await isOwn(directory)) && !await isLeftoverOfRun(directory, isLeftover)) continue;
      await fs.rm(directory, { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}

async function isLeftoverOfRun(directory: string, isLeftover: (labels: Record<string, string>) => boolean): Promise<boolean> {
  if (!/^decoy-[0-9a-f]{12}$/.test(path.basename(directory))) return false;
  const labels = await fs.readFile(path.join(directory, 'owner.json'), 'utf8').then((text) => JSON.parse(text) as Record<string, string>).catch(() => null);
  return labels !== null && isLeftover(labels);
}

/** Anybody can make one of that name in a directory that all share. */
async function isOwn(directory: string): Promise<boolean> {
  return (await fs.lstat(directory).catch(() => null))?.uid === process.getuid?.();
}
