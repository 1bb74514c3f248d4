import path from 'node:path';
import { createDisk } from './disk.ts';
import type { Engine } from './engine.ts';
import type { RootLayout } from './exposed-trees.ts';
import { createContainerGroups } from './group.ts';
import { holdImage, startOnHeld } from './image/hold-image.ts';
import { layOutImage, NETWORK_FILES, type ImageLayout } from './image/image-layout.ts';
import { imageMounts } from './image/image-mounts.ts';
import type { ObtainedImage } from './image/obtain-image.ts';
import { GIVEN_WORKSPACE, sharedDirectories, startKeeper, type Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import { mountOf, nameVolume, openVolumes, type NamedVolume } from './named-volumes.ts';
import type { SandboxMount } from './sandbox.ts';
import { checkShared } from './shared-files.ts';
import type { TimeStage } from '../usage/time-stages.ts';
import { createVolume, type Volume } from './volume.ts';

export type Workspace = {
  mode: 'copy' | 'read-only';
  /** absolute path, on the host and in the sandbox */
  path: string;
  /** uid that owns its top directory */
  ownerUid: number;
};

export type FilesystemOptions = {
  /** the one Decoy's own containers start from */
  image: string;
  /** the sandbox's, or null for the runner's own tools */
  sandboxImage: ObtainedImage | null;
  /** to look for in the sandbox's image */
  programs: readonly string[];
  runId: string;
  labels: RunLabels;
  layout: RootLayout;
  workspace: Workspace | null;
  volumes: readonly NamedVolume[];
  user: { uid: number; gid: number };
  timed: TimeStage;
};

/** The sandbox's disk and the copy-on-write views on it: named, so that a container can be created with them, and made by `make`. */
export type Filesystem = AsyncDisposable & {
  /** name of the disk's volume */
  diskVolume: string;
  mounts: readonly SandboxMount[];
  /** null for the runner's own tools */
  imageLayout: ImageLayout | null;
  /** Makes the disk, which refuses a write past its size with ENOSPC, and mounts it. `tree`: see sandboxTree and imageTree, as packTree gives it. */
  make(options: { storageBytes: number; tree: Promise<Buffer> }): Promise<MadeFilesystem>;
};

export type MadeFilesystem = {
  keeper: Keeper;
  /** whether files of the workspace may be on the disk as metadata only, for having another owner */
  metacopy: boolean;
  /** on the engine's file system: the disk is sparse, so this should not be less than its cap */
  hostFreeBytes: number;
  /** Lets the host's mounts of the disk and of the image's files go, once the sandbox has its own. */
  letGo(): Promise<void>;
};

/** Directories of the sandbox that are plain folders of its disk. */
const DISK_DIRECTORIES = ['etc', 'home', 'root', 'run', 'tmp', 'var'];

/**
 * Starts the keeper and, while it starts, names everything it will make. Which directories an image has only the keeper can see: with an
 * image the naming waits for it.
 */
export async function createFilesystem(engine: Engine, options: FilesystemOptions): Promise<Filesystem> {
  const { runId, labels, image, sandboxImage, workspace, layout, timed, user, volumes: named } = options;
  const { containers, others: volumes, dispose } = createContainerGroups();
  try {
    const workspacePath = workspace?.path ?? null;
    const [fileVolume, held] = await Promise.all([
      volumes.add(createVolume(engine, { name: `decoy-${runId}-file`, labels })),
      sandboxImage === null ? null : containers.add(timed('image: mounting', () => holdImage(engine, { image: sandboxImage, runId, labels }))),
    ]);
    const seen = { trees: layout.trees, workspacePath, volumes: named };
    const starting = containers.add(timed('keeper', () => {
      const start = () => startKeeper(engine, { image, runId, labels, fileVolume, ...seen, imagePath: held?.path ?? null });
      return held === null ? start() : startOnHeld(held, start);
    }));
    const shared = starting.then((keeper) => checkShared(keeper, sharedDirectories(seen)));
    shared.catch(() => {});
    const disk = await createDisk(engine, { image, runId, labels, fileVolume });
    containers.add(Promise.resolve({ [Symbol.asyncDispose]: disk.letGo }));
    volumes.add(Promise.resolve(disk));
    const metacopy = workspace?.mode === 'copy' && workspace.ownerUid !== user.uid;
    const given = metacopy ? `${fileVolume.mountpoint}/${GIVEN_WORKSPACE}` : null;
    const imageLayout = sandboxImage === null ? null
      : await layOutImage(await starting, { image: sandboxImage, user, workspacePath, programs: options.programs, mountPoints: named.map(({ path }) => path) });
    const plan = imageLayout === null || held === null ? planForRunner(options, disk.path) : planForImage(imageLayout, { imagePath: held.path, diskPath: disk.path });
    const overlays = await Promise.all([...plan.overlays, ...workspaceOverlay(workspace, { given })].map(async (overlay): Promise<SandboxMount> => {
      const volume = await volumes.add(createOverlay(engine, { runId, labels, overlay, diskPath: disk.path, metacopy: metacopy && overlay.name === 'workspace' }));
      return { kind: 'volume', source: volume.name, target: overlay.target, readOnly: overlay.readOnly };
    }));
    const persistent = await Promise.all(named.map(async (volume, index) => mountOf(volume, await volumes.add(nameVolume(engine, { runId, labels, fileVolume, index })))));
    // Before a sandbox is created with any of it.
    await shared;
    const letGo = async () => void await Promise.all([disk.letGo(), held?.letGo()]);
    return {
      diskVolume: disk.volume,
      mounts: [...plan.mounts, ...engine.podmanVersion === null ? [] : ownPlaces(plan), ...overlays, ...persistent],
      imageLayout,
      make: async ({ storageBytes, tree }) => {
        const keeper = await starting;
        const { hostFreeBytes } = await timed('disk: making', () => keeper.open({ sizeBytes: storageBytes }));
        const hold = await disk.hold(keeper);
        const archive = await tree;
        await timed('disk: filling and mounting', async () => {
          await keeper.fill({ tree: archive, give: metacopy ? { ...user, path: workspace.path } : null, guest: imageLayout !== null });
          await hold.confirmed();
        });
        if (named.length > 0) await timed('volumes: opening', () => openVolumes(keeper, { volumes: named, user }));
        return { keeper, metacopy, hostFreeBytes, letGo };
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

/** What a sandbox sees: folders of its disk, and copy-on-write views. */
type Plan = { mounts: SandboxMount[]; overlays: Overlay[] };
/** `name`: of its folder on the disk; `lower`: on the engine's host. */
type Overlay = { name: string; target: string; lower: string; readOnly: boolean };

function planForRunner({ layout }: FilesystemOptions, diskPath: string): Plan {
  return { mounts: diskMounts(diskPath), overlays: layout.trees.map(({ name, path }) => ({ name, target: path, lower: path, readOnly: false })) };
}

function planForImage(layout: ImageLayout, { imagePath, diskPath }: { imagePath: string; diskPath: string }): Plan {
  return {
    mounts: imageMounts(layout, diskPath),
    overlays: layout.directories.flatMap(({ folder, target, lower }) => (lower === null ? [] : [{ name: folder, target, lower: `${imagePath}/${lower}`, readOnly: false }])),
  };
}

/** `given`: where it lies for another owner, or null where its own is the sandbox's user. */
function workspaceOverlay(workspace: Workspace | null, { given }: { given: string | null }): Overlay[] {
  return workspace === null ? [] : [{ name: 'workspace', target: workspace.path, lower: given ?? workspace.path, readOnly: workspace.mode === 'read-only' }];
}

function diskMounts(diskPath: string): SandboxMount[] {
  return [
    ...DISK_DIRECTORIES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${name}`, target: `/${name}`, readOnly: false })),
    ...NETWORK_FILES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${name}`, target: `/${name}`, readOnly: true })),
    { kind: 'bind', source: `${diskPath}/decoy`, target: '/decoy', readOnly: true },
  ];
}

/** Podman lays something of its own over these, memory over the last, unless something is mounted there. */
function ownPlaces({ mounts }: Plan): SandboxMount[] {
  return ['/etc/passwd', '/etc/group', '/var/tmp'].flatMap((target): SandboxMount[] => {
    const above = mounts.find((mount) => mount.target === path.posix.dirname(target));
    return above === undefined ? [] : [{ kind: 'bind', source: `${above.source}/${path.posix.basename(target)}`, target, readOnly: false }];
  });
}

type OverlayOptions = { runId: string; labels: RunLabels; overlay: Overlay; diskPath: string; metacopy: boolean };

/** mount(8) separates options by commas and lower directories by colons; a backslash escapes (overlayfs.rst). */
function createOverlay(engine: Engine, { runId, labels, overlay, diskPath, metacopy }: OverlayOptions): Promise<Volume> {
  const upper = `${diskPath}/${overlay.name}`;
  const lower = overlay.lower.replace(/[\\:,]/g, (character) => `\\${character}`);
  return createVolume(engine, {
    name: `decoy-${runId}-${overlay.name}`, labels,
    driverOptions: { type: 'overlay', device: 'overlay', o: `lowerdir=${lower},upperdir=${upper}/upper,workdir=${upper}/work${metacopy ? ',metacopy=on' : ''}` },
  });
}
