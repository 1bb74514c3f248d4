import { userHome, type SandboxUser } from './accounts.ts';
import { arrangeTree } from './arrange-tree.ts';
import { decoyFolder, type DecoyFolderOptions } from './decoy-folder.ts';
import { overlayFolders, type OverlayFolders } from './overlay-folders.ts';
import type { TarEntry } from './pack-tree.ts';
import { placedFile, type PlacedFile } from './placed-file.ts';

export type TreeOptions = {
  user: SandboxUser;
  /** what collectEtc gave */
  etc: readonly TarEntry[];
  /** the trees that get a copy-on-write view; `owner` is for one whose top the sandbox's user shall write to */
  overlays: readonly OverlayFolders[];
  /** absolute paths below /etc: what trustFiles gave */
  trustFiles: readonly PlacedFile[];
} & DecoyFolderOptions;

/**
 * Everything the sandbox's disk starts with, arranged for packTree. On the disk `etc`, `home`, `tmp`, `var`, `run`, `root` and
 * `decoy` are the sandbox's folders of that name, and each overlay has `<name>/upper` and `<name>/work`.
 */
export function sandboxTree(options: TreeOptions): TarEntry[] {
  return arrangeTree([
    ...options.etc,
    ...options.trustFiles.map((file) => placedFile(file)),
    ...home(options),
    ...skeleton,
    ...options.overlays.flatMap(overlayFolders),
    ...decoyFolder(options),
  ]);
}

/** The user's home, with what a new account gets. */
function home({ user, etc }: TreeOptions): TarEntry[] {
  const name = userHome.slice(1);
  const skel = etc.filter((entry) => entry.name.startsWith('etc/skel/')).map((entry): TarEntry =>
    ({ ...entry, ...user, name: name + entry.name.slice('etc/skel'.length) }));
  return [{ name, type: 'directory', mode: 0o755, uid: user.uid, gid: user.gid }, ...skel];
}

/** The directories programs take for granted, after the Filesystem Hierarchy Standard 3.0. */
const skeleton: readonly TarEntry[] = [
  // Open to all: it is fresh, and a workspace may lie below it.
  directory('root', 0o755),
  directory('tmp', 0o1777),
  directory('run', 0o755),
  directory('run/lock', 0o1777),
  ...['var', 'var/cache', 'var/lib', 'var/lib/misc', 'var/log', 'var/opt', 'var/spool'].map((name) => directory(name, 0o755)),
  directory('var/tmp', 0o1777),
  { name: 'var/run', type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '/run' },
  { name: 'var/lock', type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '/run/lock' },
];

function directory(name: string, mode: number): TarEntry {
  return { name, type: 'directory', mode, uid: 0, gid: 0 };
}
