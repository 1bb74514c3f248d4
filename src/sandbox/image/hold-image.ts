import type Docker from 'dockerode';
import { createContainer, type OwnedContainer } from '../container.ts';
import { EngineError, type Engine } from '../engine.ts';
import { openHold } from '../hold-mount.ts';
import type { RunLabels } from '../labels.ts';
import type { ObtainedImage } from './obtain-image.ts';

export type HoldImageOptions = { image: ObtainedImage; runId: string; labels: RunLabels };

/** An image's files, mounted by the engine; gone when disposed of, which must be after whatever was laid over them. */
export type HeldImage = AsyncDisposable & {
  /** host directory of the files while they are mounted */
  path: string;
  /** Ends the hold, once a container has mounted the files for itself: those keep them. */
  letGo(): Promise<void>;
};

/**
 * Creates a container of the image that never starts, and has the engine mount its files.
 * @throws EngineError where the engine keeps images in a way that has no such directory
 */
export async function holdImage(engine: Engine, { image, runId, labels }: HoldImageOptions): Promise<HeldImage> {
  const owned = await createContainer(engine, { what: 'image', spec: holderSpec({ image, runId, labels }) });
  try {
    // Before the hold: the engine does not describe a container while it unpacks into it.
    const path = await findFiles(engine, { owned, image });
    const hold = openHold(engine, { containerId: owned.id, directory: '/', marker: MARKER, what: `the files of the image ${JSON.stringify(image.reference)}` });
    let gone: Promise<void> | null = null;
    const letGo = () => (gone ??= hold.finish());
    await hold.begun.catch(async (error: unknown) => {
      await letGo();
      throw error;
    });
    return {
      path,
      letGo,
      [Symbol.asyncDispose]: async () => {
        await letGo();
        await owned[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

/** Lies in this container's own layer, which the sandbox sees nothing of but the directories of its root. */
const MARKER = '.decoy-held';

function holderSpec({ image, runId, labels }: HoldImageOptions) {
  return {
    name: `decoy-${runId}-image`, Image: image.id, Labels: labels,
    // Never run; an image without a command of its own makes no container.
    Entrypoint: ['/decoy/guest'],
    HostConfig: {
      NetworkMode: 'none', LogConfig: { Type: 'none', Config: {} },
      // In place of the anonymous volumes the engine would make, which have no cap. It mounts no tmpfs while it unpacks.
      Mounts: image.volumes.map((Target) => ({ Type: 'tmpfs' as const, Source: '', Target })),
    },
  };
}

type Found = { owned: OwnedContainer; image: ObtainedImage };

/** overlay2 tells the directory; Docker's containerd image store does not, and mounts by the container's ID. */
async function findFiles(engine: Engine, { owned }: Found): Promise<string> {
  const { GraphDriver, Storage, Mounts } = await owned.container.inspect() as Docker.ContainerInspectInfo & { Storage?: { RootFS?: { Snapshot?: { Name?: string } } } };
  const volumes = Mounts.filter(({ Type }) => Type === 'volume');
  if (volumes.length > 0) throw new EngineError(`the engine made volumes without a cap for the image, ${volumes.map(({ Destination }) => JSON.stringify(Destination)).join(', ')}: use an image without VOLUME, or \`image: runner\``);
  const merged = GraphDriver?.Name === 'overlay2' ? (GraphDriver.Data as { MergedDir?: string } | null)?.MergedDir : undefined;
  if (merged) return merged;
  const driver = Storage?.RootFS?.Snapshot?.Name ?? GraphDriver?.Name ?? '';
  if (driver === 'overlayfs') return `${((await engine.docker.info()) as { DockerRootDir: string }).DockerRootDir}/rootfs/overlayfs/${owned.id}`;
  throw new EngineError(`the Docker engine's storage driver ${JSON.stringify(driver)} cannot be given a hard cap on the disk of an image: use \`image: runner\`, or an engine with overlay2 or with the containerd image store's overlayfs (see docs/images.md)`);
}
