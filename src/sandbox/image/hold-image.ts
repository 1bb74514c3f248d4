import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { createContainer, type OwnedContainer } from '../container.ts';
import { EngineError, type Engine } from '../engine.ts';
import { openHold } from '../hold-mount.ts';
import type { RunLabels } from '../labels.ts';
import { filesDirectory, type DescribedContainer } from './files-directory.ts';
import type { ObtainedImage } from './obtain-image.ts';

/** `purpose`: what is done with the files; to be changed, they are those of a container that can be kept as an image. */
export type HoldImageOptions = { image: ObtainedImage; runId: string; labels: RunLabels; purpose?: 'image' | 'snapshot' };

/** An image's files, mounted by the engine; gone when disposed of, which must be after whatever was laid over them. */
export type HeldImage = AsyncDisposable & {
  containerId: string;
  /** host directory of the files while they are mounted */
  path: string;
  /** why the engine let the files go by itself, where it did: whatever needs them fails then, and says less; else null */
  problem(): EngineError | null;
  /** Ends the hold, once a container has mounted the files for itself: those keep them. */
  letGo(): Promise<void>;
};

/**
 * Creates a container of the image that never starts, and has the engine mount its files.
 * @throws EngineError where the engine keeps images in a way that has no such directory
 */
export async function holdImage(engine: Engine, options: HoldImageOptions): Promise<HeldImage> {
  const { image } = options;
  // The engine mounts nothing there, and says so in words of its own.
  if (image.volumes.includes('/')) throw new EngineError(`the image ${JSON.stringify(image.reference)} cannot be used, as its VOLUME "/" would be all of its files: build it without that line, or use another image`);
  const owned = await createContainer(engine, { what: `image ${JSON.stringify(image.reference)}`, spec: holderSpec(options) });
  try {
    // Before the hold: the engine does not describe a container while it unpacks into it.
    const path = await findFiles(engine, owned);
    const hold = openHold(engine, { containerId: owned.id, directory: '/', marker: MARKER, what: `the files of the image ${JSON.stringify(image.reference)}` });
    let gone: Promise<void> | null = null;
    const letGo = () => (gone ??= hold.finish());
    await hold.begun().catch(async (error: unknown) => {
      await letGo();
      throw error;
    });
    return {
      containerId: owned.id,
      path,
      problem: hold.problem,
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

/**
 * Starts what mounts the held files. Docker 28 with containerd's image store says now and then, and for a moment, that they are not there (2 of 17 snapshots in an
 * emulated machine): while the hold stands it is asked again, and where it does not, that is the error.
 */
export async function startOnHeld<Started>(held: Pick<HeldImage, 'path' | 'problem'>, start: () => Promise<Started>): Promise<Started> {
  for (let asked = 1; ; asked += 1) {
    try {
      return await start();
    } catch (error) {
      const problem = held.problem();
      if (problem !== null) throw problem;
      if (!(error as Error).message.includes(held.path) || asked === MOST_ASKED) throw error;
      await sleep(ASK_AGAIN_MS);
    }
  }
}

const MOST_ASKED = 5;
const ASK_AGAIN_MS = 200;

/** Lies in this container's own layer, which the sandbox sees nothing of but the directories of its root. */
export const MARKER = '.decoy-held';

function holderSpec({ image, runId, labels, purpose = 'image' }: HoldImageOptions) {
  return {
    name: `decoy-${runId}-${purpose}`, Image: image.id, Labels: labels,
    // Never run; an image without a command of its own makes no container.
    ...(purpose === 'image' ? { Entrypoint: ['/decoy/guest'] } : { Cmd: ['sh'] }),
    HostConfig: {
      NetworkMode: 'none', LogConfig: { Type: 'none', Config: {} },
      // In place of the anonymous volumes the engine would make, which have no cap. It mounts no tmpfs while it unpacks.
      Mounts: image.volumes.map((Target) => ({ Type: 'tmpfs' as const, Source: '', Target })),
    },
  };
}

async function findFiles(engine: Engine, { container }: OwnedContainer): Promise<string> {
  const described = await container.inspect() as Docker.ContainerInspectInfo & DescribedContainer;
  const volumes = described.Mounts.filter(({ Type }) => Type === 'volume');
  if (volumes.length > 0) throw new EngineError(`the engine made volumes without a cap for the image, ${volumes.map(({ Destination }) => JSON.stringify(Destination)).join(', ')}: use an image without VOLUME, or \`image: runner\``);
  return filesDirectory(described, { dockerRoot: async () => (await engine.docker.info() as { DockerRootDir: string }).DockerRootDir });
}
