import { createDisk } from './disk.ts';
import type { Engine } from './engine.ts';
import type { ExposedTree, RootLayout } from './exposed-trees.ts';
import { createGroup } from './group.ts';
import { startKeeper, type Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import type { SandboxMount } from './sandbox.ts';
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
  image: string;
  runId: string;
  labels: RunLabels;
  layout: RootLayout;
  workspace: Workspace | null;
  user: { uid: number; gid: number };
  timed: TimeStage;
};

/** The sandbox's disk and the copy-on-write views on it: named, so that a container can be created with them, and made by `make`. */
export type Filesystem = AsyncDisposable & {
  mounts: readonly SandboxMount[];
  /** Makes the disk, which refuses a write past its size with ENOSPC, and mounts it. `tree`: see sandboxTree, as packTree gives it. */
  make(options: { storageBytes: number; tree: Promise<Buffer> }): Promise<MadeFilesystem>;
};

export type MadeFilesystem = {
  keeper: Keeper;
  /** whether unchanged files of the workspace are on the disk as metadata only, for having another owner */
  metacopy: boolean;
  /** on the engine's file system: the disk is sparse, so this should not be less than its cap */
  hostFreeBytes: number;
  /** Lets the host's mount of the disk go, once the sandbox has its own. */
  letGo(): Promise<void>;
};

/** Directories of the sandbox that are plain folders of its disk. */
const DISK_DIRECTORIES = ['etc', 'home', 'root', 'run', 'tmp', 'var'];
/** What says how names are found stays as it is, for root of the sandbox too. */
const NETWORK_FILES = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/** Starts the keeper and, while it starts, names everything it will make. */
export async function createFilesystem(engine: Engine, options: FilesystemOptions): Promise<Filesystem> {
  const { runId, labels, image, workspace, layout, timed } = options;
  const containers = createGroup();
  const volumes = createGroup();
  const dispose = async () => {
    await containers[Symbol.asyncDispose]();
    await volumes[Symbol.asyncDispose]();
  };
  try {
    const fileVolume = await volumes.add(createVolume(engine, { name: `decoy-${runId}-file`, labels }));
    const workspacePath = workspace?.path ?? null;
    const starting = containers.add(timed('keeper', () => startKeeper(engine, { image, runId, labels, fileVolume, trees: layout.trees, workspacePath })));
    const disk = await createDisk(engine, { image, runId, labels, fileVolume });
    containers.add(Promise.resolve({ [Symbol.asyncDispose]: disk.letGo }));
    volumes.add(Promise.resolve(disk));
    const metacopy = workspace?.mode === 'copy' && workspace.ownerUid !== options.user.uid;
    const overlays = await Promise.all(overlaidTrees(options).map(async (tree): Promise<SandboxMount> => {
      const volume = await volumes.add(createOverlay(engine, { runId, labels, tree, diskPath: disk.path, metacopy: metacopy && tree.name === 'workspace' }));
      return { kind: 'volume', source: volume.name, target: tree.path, readOnly: tree.readOnly };
    }));
    return {
      mounts: [...diskMounts(disk.path), ...overlays],
      make: async ({ storageBytes, tree }) => {
        const keeper = await starting;
        const { hostFreeBytes } = await timed('disk: making', () => keeper.open({ sizeBytes: storageBytes }));
        const held = await disk.hold(keeper);
        const archive = await tree;
        await timed('disk: filling and mounting', async () => {
          await keeper.fill({ tree: archive, chown: metacopy ? options.user : null });
          await held.confirmed();
        });
        return { keeper, metacopy, hostFreeBytes, letGo: disk.letGo };
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

function diskMounts(diskPath: string): SandboxMount[] {
  return [
    ...DISK_DIRECTORIES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${name}`, target: `/${name}`, readOnly: false })),
    ...NETWORK_FILES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${name}`, target: `/${name}`, readOnly: true })),
    { kind: 'bind', source: `${diskPath}/decoy`, target: '/decoy', readOnly: true },
  ];
}

type OverlaidTree = ExposedTree & { readOnly: boolean };

function overlaidTrees({ layout, workspace }: FilesystemOptions): OverlaidTree[] {
  const trees = layout.trees.map((tree) => ({ ...tree, readOnly: false }));
  return workspace === null ? trees : [...trees, { name: 'workspace', path: workspace.path, hidden: [], readOnly: workspace.mode === 'read-only' }];
}

type OverlayOptions = { runId: string; labels: RunLabels; tree: OverlaidTree; diskPath: string; metacopy: boolean };

/** mount(8) separates options by commas and lower directories by colons; a backslash escapes (overlayfs.rst). */
function createOverlay(engine: Engine, { runId, labels, tree, diskPath, metacopy }: OverlayOptions): Promise<Volume> {
  const upper = `${diskPath}/${tree.name}`;
  const lower = tree.path.replace(/[\\:,]/g, (character) => `\\${character}`);
  return createVolume(engine, {
    name: `decoy-${runId}-${tree.name}`, labels,
    driverOptions: { type: 'overlay', device: 'overlay', o: `lowerdir=${lower},upperdir=${upper}/upper,workdir=${upper}/work${metacopy ? ',metacopy=on' : ''}` },
  });
}
