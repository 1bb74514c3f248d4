import { userHome, type SandboxUser } from './accounts.ts';
import { arrangeTree } from './arrange-tree.ts';
import type { TarEntry } from './pack-tree.ts';

export type TreeOptions = {
  user: SandboxUser;
  /** what collectEtc gave, or nothing where the sandbox's /etc is an image's */
  etc: readonly TarEntry[];
  /** the trees that get a copy-on-write view; `owner` is for one whose top the sandbox's user shall write to */
  overlays: readonly { name: string; owner?: { uid: number; gid: number; mode: number } }[];
  trust: { authorityPem: string; bundlePem: string; trustStore: Buffer };
  /** absolute paths below /etc: what trustFiles gave */
  trustFiles: readonly ({ path: string; content: Buffer } | { path: string; target: string })[];
  /** the user's script, if it is one */
  script?: string;
};

/**
 * Everything the sandbox's disk starts with, arranged for packTree. On the disk `etc`, `home`, `tmp`, `var`, `run`, `root` and
 * `decoy` are the sandbox's folders of that name, and each overlay has `<name>/upper` and `<name>/work`.
 */
export function sandboxTree(options: TreeOptions): TarEntry[] {
  return arrangeTree([
    ...options.etc,
    ...options.trustFiles.map(trustEntry),
    ...home(options),
    ...skeleton,
    ...options.overlays.flatMap(overlay),
    ...decoy(options),
  ]);
}

function trustEntry(file: TreeOptions['trustFiles'][number]): TarEntry {
  const name = file.path.slice(1);
  if ('target' in file) return { name, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: file.target };
  return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, content: file.content };
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

/** overlayfs shows the upper directory's owner and mode as those of the merged top. */
function overlay({ name, owner }: TreeOptions['overlays'][number]): TarEntry[] {
  return [
    { name: `${name}/upper`, type: 'directory', uid: owner?.uid ?? 0, gid: owner?.gid ?? 0, mode: owner?.mode ?? 0o755 },
    directory(`${name}/work`, 0o700),
  ];
}

/** Root's, so that the user cannot take its own trust away or have another script run in this one's place. */
function decoy({ trust, script }: TreeOptions): TarEntry[] {
  return [
    directory('decoy', 0o755),
    file('decoy/ca.pem', 0o644, trust.authorityPem),
    file('decoy/bundle.pem', 0o644, trust.bundlePem),
    file('decoy/truststore.p12', 0o644, trust.trustStore),
    ...(script === undefined ? [] : [file('decoy/script', 0o755, script)]),
  ];
}

function directory(name: string, mode: number): TarEntry {
  return { name, type: 'directory', mode, uid: 0, gid: 0 };
}

function file(name: string, mode: number, content: Buffer | string): TarEntry {
  return { name, type: 'file', mode, uid: 0, gid: 0, content };
}
