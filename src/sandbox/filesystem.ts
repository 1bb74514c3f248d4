import type { Engine } from './engine.ts';
import type { ExposedTree, RootLayout } from './exposed-trees.ts';
import { mountDisk } from './disk.ts';
import { startKeeper, type Keeper } from './keeper.ts';
import type { RunLabels } from './labels.ts';
import { packTree, type TarEntry } from './runner-files/pack-tree.ts';
import type { SandboxMount } from './sandbox.ts';
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
  storageBytes: number;
  /** what the disk starts with: see sandboxTree */
  tree: readonly TarEntry[];
};

export type Filesystem = AsyncDisposable & {
  keeper: Keeper;
  /** whether unchanged files of the workspace are on the disk as metadata only, for having another owner */
  metacopy: boolean;
  mounts: readonly SandboxMount[];
  /** on the engine's file system: the disk is sparse, so this should not be less than its cap */
  hostFreeBytes: number;
  /** Lets the host's mount of the disk go, once the sandbox has its own. */
  letGo(): Promise<void>;
};

/** Directories of the sandbox that are plain folders of its disk. */
const DISK_DIRECTORIES = ['etc', 'home', 'root', 'run', 'tmp', 'var'];

/** Makes the sandbox's disk and the copy-on-write views on it: the engine refuses a write past the cap with ENOSPC. */
export async function prepareFilesystem(engine: Engine, options: FilesystemOptions): Promise<Filesystem> {
  const resources: AsyncDisposable[] = [];
  const own = <T extends AsyncDisposable>(resource: T): T => {
    resources.push(resource);
    return resource;
  };
  const dispose = async () => {
    for (const resource of resources.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  };
  try {
    const { runId, labels, image, workspace } = options;
    const fileVolume = own(await createVolume(engine, { name: `decoy-${runId}-file`, labels }));
    const keeper = own(await startKeeper(engine, { image, runId, labels, fileVolume, trees: options.layout.trees, workspacePath: workspace?.path ?? null }));
    const metacopy = workspace?.mode === 'copy' && workspace.ownerUid !== options.user.uid;
    const { device, hostFreeBytes } = await keeper.open({ sizeBytes: options.storageBytes, tree: await packTree(options.tree), chown: metacopy ? options.user : null });
    const disk = await mountDisk(engine, { image, runId, labels, device, keeper });
    own(disk.volume);
    const letGo = once(() => disk[Symbol.asyncDispose]());
    resources.push({ [Symbol.asyncDispose]: letGo });
    const volumes = await createOverlays(engine, { ...options, diskPath: disk.path, metacopy });
    volumes.forEach((volume) => own(volume.volume));
    return { keeper, metacopy, hostFreeBytes, mounts: [...diskMounts(disk.path), ...volumes.map((volume) => volume.mount)], letGo, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose().catch(() => {});
    throw error;
  }
}

function diskMounts(diskPath: string): SandboxMount[] {
  return [
    ...DISK_DIRECTORIES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${name}`, target: `/${name}`, readOnly: false })),
    { kind: 'bind', source: `${diskPath}/decoy`, target: '/decoy', readOnly: true },
  ];
}

type OverlayOptions = FilesystemOptions & { diskPath: string; metacopy: boolean };

async function createOverlays(engine: Engine, options: OverlayOptions): Promise<{ volume: Volume; mount: SandboxMount }[]> {
  const { workspace } = options;
  const trees: (ExposedTree & { readOnly: boolean })[] = options.layout.trees.map((tree) => ({ ...tree, readOnly: false }));
  if (workspace !== null) trees.push({ name: 'workspace', path: workspace.path, hidden: [], readOnly: workspace.mode === 'read-only' });
  return Promise.all(trees.map(async (tree) => {
    const volume = await createVolume(engine, {
      name: `decoy-${options.runId}-${tree.name}`,
      labels: options.labels,
      driverOptions: { type: 'overlay', device: 'overlay', o: overlayOptions(tree, options) },
    });
    return { volume, mount: { kind: 'volume', source: volume.name, target: tree.path, readOnly: tree.readOnly } };
  }));
}

/** mount(8) separates options by commas and lower directories by colons; a backslash escapes (overlayfs.rst). */
function overlayOptions(tree: ExposedTree, { diskPath, metacopy }: OverlayOptions): string {
  const upper = `${diskPath}/${tree.name}`;
  const lower = tree.path.replace(/[\\:,]/g, (character) => `\\${character}`);
  return `lowerdir=${lower},upperdir=${upper}/upper,workdir=${upper}/work${metacopy && tree.name === 'workspace' ? ',metacopy=on' : ''}`;
}

function once(action: () => PromiseLike<void>): () => Promise<void> {
  let result: Promise<void> | null = null;
  return () => (result ??= Promise.resolve(action()));
}
