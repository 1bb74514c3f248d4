import { engineMessage } from '../container.ts';
import { EngineError, type Engine } from '../engine.ts';
import { holdImage, MARKER, startOnHeld } from '../image/hold-image.ts';
import { homeFolder, OWN_HOME, writtenFolder } from '../image/image-mounts.ts';
import { NETWORK_FILES, type ImageLayout } from '../image/image-layout.ts';
import { startCopier, type SavedFolder } from '../keeper.ts';
import type { RunLabels } from '../labels.ts';

export type StageOptions = {
  /** the one Decoy's own containers start from */
  image: string;
  runId: string;
  labels: RunLabels;
  layout: ImageLayout;
  diskVolume: string;
  /** most that is saved: what the disk may hold */
  maxBytes: number;
  /** absolute paths of what Decoy put into /etc */
  placedFiles: readonly string[];
  /** ends the copying: GitHub gives a cancelled step a few seconds, and a large snapshot takes longer */
  signal: AbortSignal;
};

/** A container of the sandbox's image that has the sandbox's changes, and never ran; gone when disposed of. */
export type StagedSnapshot = AsyncDisposable & {
  /** Keeps it as an image. @returns the engine's ID of that */
  commit(options: { tag: string; name: string }): Promise<string>;
};

export const SNAPSHOT_REPOSITORY = 'decoy-snapshot';

/** Fresh in every run, snapshot or not. */
const FRESH = ['/tmp', '/run', '/var/tmp', '/var/run'];

/**
 * Writes what the sandbox changed into a second container of its image, while the keeper still has the disk. Not saved: what Decoy put
 * into /etc for this run, /decoy, the workspace, volumes, and what is fresh in every run.
 * @throws EngineError where it cannot be saved, or is more than the disk may hold
 */
export async function stageSnapshot(engine: Engine, options: StageOptions): Promise<StagedSnapshot> {
  const { image, runId, labels, layout, diskVolume, maxBytes, placedFiles, signal } = options;
  const held = await holdImage(engine, { image: layout.image, runId, labels, purpose: 'snapshot' });
  try {
    await using copier = await startOnHeld(held, () => startCopier(engine, { image, runId, labels, diskVolume, imagePath: held.path }));
    const stop = () => void Promise.resolve(copier[Symbol.asyncDispose]()).catch(() => {});
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await copier.saveChanges({ folders: savedFolders(layout), leave: [...NETWORK_FILES, 'etc/gitconfig', ...[...placedFiles, ...FRESH].map((path) => path.slice(1))], remove: [MARKER], maxBytes });
  } catch (error) {
    await Promise.resolve(held[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  }
  return {
    commit: async ({ tag, name }) => {
      await held.letGo();
      const container = engine.docker.getContainer(held.containerId);
      // Overwritten, as an image's labels are its containers', which clean-up would take for Decoy's.
      const Labels = { ...Object.fromEntries(Object.keys(labels).map((label) => [label, ''])), 'decoy.snapshot': name };
      const committed = await container.commit({ _query: { container: held.containerId, repo: SNAPSHOT_REPOSITORY, tag, pause: false }, _body: { Labels } }).catch((error: unknown) => {
        throw new EngineError(`the engine could not keep the snapshot ${JSON.stringify(name)}: ${engineMessage(error)}`);
      }) as { Id: string };
      return (await engine.docker.getImage(committed.Id).inspect()).Id;
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  };
}

function savedFolders(layout: ImageLayout): SavedFolder[] {
  const home: SavedFolder[] = homeFolder(layout) === OWN_HOME ? [{ from: OWN_HOME, to: OWN_HOME, overlay: false }] : [];
  return [
    ...layout.directories.filter(({ target }) => !FRESH.some((fresh) => target === fresh || target.startsWith(`${fresh}/`)))
      .map((directory): SavedFolder => ({ from: writtenFolder(directory), to: directory.target.slice(1), overlay: directory.lower !== null })),
    ...home,
  ];
}
