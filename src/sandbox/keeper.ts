import type Docker from 'dockerode';
import type { Duplex } from 'node:stream';
import { attach } from './attach.ts';
import { createContainer, startContainer, type OwnedContainer } from './container.ts';
import { deferred } from './deferred.ts';
import { demultiplex } from './demultiplex.ts';
import { EngineError, type Engine } from './engine.ts';
import type { ExposedTree } from './exposed-trees.ts';
import type { ImageLook } from './image/image-directories.ts';
import type { RunLabels } from './labels.ts';
import { keeperPath, type NamedVolume } from './named-volumes.ts';
import { GUEST_PATH } from './root-image.ts';
import type { FileIdentity, SharedDirectory } from './shared-files.ts';
import type { Volume } from './volume.ts';
import type { ChangedEntry } from '../workspace/changed-entry.ts';
import { contentBytes, parseContents, type Content } from '../workspace/parse-contents.ts';

export type KeeperOptions = {
  image: string;
  runId: string;
  labels: RunLabels;
  /** holds the disk file */
  fileVolume: Volume;
  trees: readonly ExposedTree[];
  /** the host's workspace, or null where the sandbox gets none */
  workspacePath: string | null;
  /** host directory of the files of the sandbox's image, or null where it has none */
  imagePath: string | null;
  volumes: readonly NamedVolume[];
};

/** `hostFreeBytes`: on the engine's file system, where the disk file is. `lostWrites`: whether that could not take something, where it was asked to flush. */
export type DiskUse = { usedBytes: number; sizeBytes: number; freeBytes: number; inodesFree: number; hostFreeBytes: number; lostWrites: boolean };

/** Insertions and deletions are lines, none for a binary file. */
export type ChangedFile = { path: string; status: 'M' | 'A' | 'D' | 'R'; from?: string; insertions: number; deletions: number };
export type Patch = {
  files: number; insertions: number; deletions: number; changedFiles: ChangedFile[];
  /** the first hundred changed paths that cannot be in a patch, those that are too large for it first; `path` may hold any character */
  skipped: { path: string; reason: string }[]; skippedCount: number;
  bytes: Buffer;
  /** every changed path with what is in it now, where that was asked for; else none */
  entries: ChangedEntry[];
  /** why there are no entries although they were asked for: the first path that has no room */
  unwritable?: { path: string; reason: string };
};

/** `guest`: also put the guest program into the disk's /decoy. */
export type FillOptions = { tree: Buffer; give: GiveOptions | null; guest: boolean };

/** To whom the workspace is to belong. `path`: of it, on the engine's host. */
export type GiveOptions = { uid: number; gid: number; path: string };

/** The keeper's name, in the volume of the disk file, for the workspace as it is given to somebody. */
export const GIVEN_WORKSPACE = 'workspace';

/** `from`: on the disk. `to`: in the image, relative. `overlay`: whether `from` is an overlay's upper directory. */
export type SavedFolder = { from: string; to: string; overlay: boolean };
export type SaveOptions = { folders: readonly SavedFolder[]; leave: readonly string[]; remove: readonly string[]; maxBytes: number };

/** The trusted container that makes the disk, holds its loop device, tells how full it is and reads the changes off it. */
export type Keeper = AsyncDisposable & {
  /** Tells which files the paths in the keeper lead to. */
  identify(paths: readonly string[]): Promise<readonly FileIdentity[]>;
  /** Makes the disk. @returns what the file system under it has free */
  open(options: { sizeBytes: number }): Promise<{ hostFreeBytes: number }>;
  /** Unpacks the archive on the disk and, if asked, gives the workspace to another owner, without writing to it: what GIVEN_WORKSPACE leads to then. */
  fill(options: FillOptions): Promise<void>;
  /** Looks at the image's files: at its root, its volumes, and for programs in a PATH. */
  lookAtImage(options: { volumes: readonly string[]; programs: readonly string[]; searchPath: string; mountPoints: readonly string[] }): Promise<ImageLook>;
  /** Opens a volume of the user's, new or not, for this run alone, and gives its top directory to the owner. */
  openVolume(options: { index: number; name: string; sizeBytes: number; exact: boolean; owner: { uid: number; gid: number } }): Promise<void>;
  /** Resolves when the file appears on the disk: written there through another mount. */
  awaitFile(name: string): Promise<void>;
  /** null once the keeper is gone. `flush`: writes everything to the disk file first, to see whether it goes there. */
  readDiskUse(options?: { flush: boolean }): Promise<DiskUse | null>;
  /** `reader`: the sandbox's user; what they could not read is left out. */
  readPatch(options: { maxBytes: number; metacopy: boolean; contents: boolean; reader: { uid: number; gid: number } }): Promise<Patch>;
  /** Writes changes into the files of an image's container; see startCopier. Paths in `leave` stay as the image has them, those in `remove` go from its root. */
  saveChanges(options: SaveOptions): Promise<void>;
  /** rejects when the keeper ends although it was not disposed of: the disk can no longer be measured or read */
  lost: Promise<never>;
};

/** Where a keeper has the runner's workspace. */
const WORKSPACE_PATH = '/lower/workspace';
const MEMORY_BYTES = 1024 * 1024 * 1024;

export async function startKeeper(engine: Engine, options: KeeperOptions): Promise<Keeper> {
  return startFrom(engine, keeperSpec(options, keeperMounts(options)));
}

export type CopierOptions = Pick<KeeperOptions, 'image' | 'runId' | 'labels'> & {
  /** the volume of the sandbox's disk, which a keeper must have open */
  diskVolume: string;
  /** host directory of the files that are written to */
  imagePath: string;
};

/** A keeper without a disk of its own, for one job: it sees a sandbox's disk, and may write the files of a container that never runs. */
export function startCopier(engine: Engine, options: CopierOptions): Promise<Pick<Keeper, 'saveChanges'> & AsyncDisposable> {
  return startFrom(engine, { ...keeperSpec(options, [
    { Type: 'volume', Source: options.diskVolume, Target: '/disk', ReadOnly: true, VolumeOptions: { NoCopy: true } as never },
    { Type: 'bind', Source: options.imagePath, Target: '/lower/image' },
  ]), name: `decoy-${options.runId}-copier` });
}

async function startFrom(engine: Engine, spec: Docker.ContainerCreateOptions): Promise<Keeper> {
  const owned = await createContainer(engine, { what: 'keeper', spec });
  try {
    const stream = await attach(engine, owned);
    const replies = readReplies(stream);
    await startContainer(owned, 'keeper');
    return asKeeper({ owned, stream, replies });
  } catch (error) {
    await owned[Symbol.asyncDispose]();
    throw error;
  }
}

function keeperMounts(options: KeeperOptions): Docker.MountConfig {
  const mounts: Docker.MountConfig = [
    { Type: 'volume', Source: options.fileVolume.name, Target: '/file' },
    ...options.trees.map((tree) => ({ Type: 'bind' as const, Source: tree.path, Target: treePath(tree), ReadOnly: true })),
  ];
  options.volumes.forEach(({ folder }, index) => mounts.push({ Type: 'bind', Source: folder, Target: keeperPath(index) }));
  if (options.imagePath !== null) mounts.push({ Type: 'bind', Source: options.imagePath, Target: '/lower/image', ReadOnly: true });
  if (options.workspacePath !== null) mounts.push({ Type: 'bind', Source: options.workspacePath, Target: WORKSPACE_PATH, ReadOnly: true });
  return mounts;
}

/** The runner's directories a keeper has mounted: all that the sandbox is to see a view of. */
export function sharedDirectories({ trees, workspacePath, volumes }: Pick<KeeperOptions, 'trees' | 'workspacePath' | 'volumes'>): SharedDirectory[] {
  return [
    ...trees.map((tree) => ({ path: tree.path, keeperPath: treePath(tree) })),
    ...(workspacePath === null ? [] : [{ path: workspacePath, keeperPath: WORKSPACE_PATH }]),
    ...volumes.map(({ folder }, index) => ({ path: folder, keeperPath: keeperPath(index) })),
  ];
}

/** The system's directories are where the keeper's own tools expect them; the others are only looked at. */
function treePath(tree: ExposedTree): string {
  return isSystemTree(tree) ? tree.path : `/lower/trees/${tree.name}`;
}

function keeperSpec(options: Pick<KeeperOptions, 'image' | 'runId' | 'labels'>, mounts: Docker.MountConfig) {
  return {
    name: `decoy-${options.runId}-keeper`,
    Image: options.image,
    Entrypoint: [GUEST_PATH, 'keeper'],
    Labels: options.labels,
    User: '0:0',
    // A namespace without a network, which the guest program checks: see gateway.ts.
    NetworkDisabled: true,
    Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    AttachStdin: true, OpenStdin: true, StdinOnce: true, AttachStdout: true, AttachStderr: true,
    HostConfig: {
      NetworkMode: 'none',
      Mounts: mounts,
      CapDrop: ['ALL'],
      CapAdd: ['SYS_ADMIN', 'MKNOD', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP', 'SETUID', 'SETGID'],
      DeviceCgroupRules: ['b 7:* rmw', 'c 10:237 rmw'],
      // Ubuntu's docker-default AppArmor profile denies mount(2).
      SecurityOpt: ['no-new-privileges=true', 'apparmor=unconfined'],
      Tmpfs: { '/tmp': 'size=512m' },
      Memory: MEMORY_BYTES,
      MemorySwap: MEMORY_BYTES,
      PidsLimit: 64,
      IpcMode: 'none',
      LogConfig: { Type: 'none', Config: {} },
    },
  };
}

function isSystemTree(tree: ExposedTree): boolean {
  return tree.path === '/usr' || tree.path.lastIndexOf('/') === 0;
}

type Parts = { owned: OwnedContainer; stream: Duplex; replies: Replies };

function asKeeper({ owned, stream, replies }: Parts): Keeper {
  // One command at a time: replies carry no number.
  let last: Promise<unknown> = Promise.resolve();
  const ask = (command: object, options: { payload?: Buffer; asked?: string } = {}): Promise<Reply> => {
    const result = last.then(async () => {
      stream.write(`${JSON.stringify(command)}\n`);
      if (options.payload !== undefined) stream.write(options.payload);
      const reply = await replies.next();
      if (reply['ok'] !== true) throw new EngineError(`${options.asked ?? `the keeper could not ${String((command as { cmd: string }).cmd)}`}: ${String(reply['error'])}`);
      return reply;
    });
    last = result.catch(() => {});
    return result;
  };
  return {
    async identify(paths) {
      return (await ask({ cmd: 'identify', paths }))['files'] as FileIdentity[];
    },
    async open({ sizeBytes }) {
      const reply = await ask({ cmd: 'open', sizeBytes });
      return { hostFreeBytes: Number(reply['freeBytes'] ?? 0) };
    },
    async fill({ tree, give, guest }) {
      const given = give === null ? {} : { chown: { uid: give.uid, gid: give.gid }, workspace: { path: give.path, pid: await readProcessId(owned) } };
      await ask({ cmd: 'fill', tarBytes: tree.length, guest, ...given }, { payload: tree });
    },
    async lookAtImage(options) {
      return (await ask({ cmd: 'image', ...options })) as unknown as ImageLook;
    },
    async openVolume({ index, owner, ...options }) {
      await ask({ cmd: 'volume', path: String(index), chown: owner, ...options }, { asked: 'volumes' });
    },
    async awaitFile(name) {
      await ask({ cmd: 'await', path: name });
    },
    async readDiskUse({ flush } = { flush: false }) {
      return (await ask({ cmd: 'statfs', flush }).catch(() => null)) as DiskUse | null;
    },
    async readPatch(options) {
      const { payload = Buffer.alloc(0), contents = [], ...reply } = await ask({ cmd: 'patch', ...options });
      const patchBytes = Number(reply['patchBytes']);
      return { ...(reply as unknown as Omit<Patch, 'bytes' | 'entries'>), bytes: payload.subarray(0, patchBytes), entries: parseContents(contents, payload.subarray(patchBytes)) };
    },
    async saveChanges(options) {
      await ask({ cmd: 'snapshot', ...options }, { asked: 'the snapshot could not be saved' });
    },
    lost: replies.ended,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The keeper's number as the engine counts processes; 0 where it says none. */
async function readProcessId({ container }: OwnedContainer): Promise<number> {
  return (await container.inspect().catch(() => null))?.State.Pid ?? 0;
}

type Reply = Record<string, unknown> & { payload?: Buffer; contents?: Content[] };
type Replies = { next(): Promise<Reply>; ended: Promise<never> };

/** Reads JSON lines, each followed by as many raw bytes as it announces. */
function readReplies(stream: Duplex): Replies {
  let stderr = '';
  async function* read(): AsyncGenerator<Reply, undefined> {
    let buffered: Buffer[] = [];
    let length = 0;
    let pending: Reply | null = null;
    for await (const { channel, bytes } of demultiplex(stream)) {
      if (channel === 'stderr') {
        stderr = (stderr + bytes.toString()).slice(-2048);
        continue;
      }
      buffered.push(bytes);
      length += bytes.length;
      for (;;) {
        const wanted = pending === null ? null : payloadBytes(pending);
        if (wanted !== null && length < wanted) break;
        const all: Buffer = buffered.length === 1 ? (buffered[0] as Buffer) : Buffer.concat(buffered);
        buffered = [all];
        if (wanted !== null) {
          yield { ...pending, payload: all.subarray(0, wanted) };
          pending = null;
          buffered = [all.subarray(wanted)];
          length -= wanted;
          continue;
        }
        const end = all.indexOf(10);
        if (end < 0) break;
        const reply = JSON.parse(all.subarray(0, end).toString()) as Reply;
        buffered = [all.subarray(end + 1)];
        length -= end + 1;
        if (payloadBytes(reply) > 0) pending = reply;
        else yield reply;
      }
    }
  }
  const iterator = read();
  const { promise: ended, reject: end } = deferred<never>();
  ended.catch(() => {});
  // One reply ahead, so that the end is noticed when nothing is being asked.
  const readNext = async (): Promise<Reply> => {
    const result = await iterator.next().catch((error: Error) => ({ done: true as const, value: error }));
    if (result.done !== true) return result.value;
    // A connection that breaks is no better: nothing can be asked any more.
    const error = result.value instanceof EngineError ? result.value
      : new EngineError(`the keeper of the sandbox's disk ended (${stderr.trim() || 'killed, or its engine was restarted'}), so that the disk could not be measured or read any more: run it again`);
    end(error);
    throw error;
  };
  let upcoming = readNext();
  upcoming.catch(() => {});
  return {
    async next() {
      const reply = await upcoming;
      upcoming = readNext();
      upcoming.catch(() => {});
      return reply;
    },
    ended,
  };
}

function payloadBytes({ patchBytes, contents = [] }: Reply): number {
  return Number(patchBytes ?? 0) + contentBytes(contents);
}
