import fs from 'node:fs';
import path from 'node:path';

/** A host directory the sandbox sees copy-on-write at the same path. */
export type ExposedTree = {
  /** name of its folder on the sandbox's disk */
  name: string;
  path: string;
  /** entries hidden from the sandbox, relative to `path`; none is below another */
  hidden: string[];
};

/** Which of the runner's system directories the sandbox sees, and which root-level names are symbolic links. */
export type RootLayout = { trees: ExposedTree[]; links: { name: string; target: string }[] };

const SYSTEM_DIRECTORIES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/**
 * /opt of GitHub's images holds the tool cache and vendors' software, but on self-hosted runners often the runner itself
 * with its credentials, so it is shown by allowlist. Source: the directories the actions/runner-images scripts create.
 */
const OPT_ALLOWED = new Set(['hostedtoolcache', 'az', 'google', 'microsoft', 'pipx', 'pipx_bin', 'ghc', 'hhvm', 'java', 'gradle', 'maven']);

export function exposedTrees(options: { toolCache?: string | undefined; hidden: readonly string[]; user: 'runner' | 'root' }): RootLayout {
  const trees: ExposedTree[] = [{ name: 'usr', path: '/usr', hidden: [] }];
  const links: RootLayout['links'] = [];
  for (const name of SYSTEM_DIRECTORIES) {
    const stats = fs.lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) links.push({ name, target: fs.readlinkSync(`/${name}`) });
    else if (stats?.isDirectory()) trees.push({ name, path: `/${name}`, hidden: [] });
  }
  const opt = readNames('/opt');
  if (opt.some((name) => OPT_ALLOWED.has(name))) {
    trees.push({ name: 'opt', path: '/opt', hidden: opt.filter((name) => !OPT_ALLOWED.has(name)) });
  }
  if (options.toolCache !== undefined && isOutside(options.toolCache, trees) && isDirectory(options.toolCache)) {
    trees.push({ name: 'toolcache', path: options.toolCache, hidden: [] });
  }
  if (options.user === 'root') {
    // What apt and dpkg need to know of the packages already there.
    for (const [name, directory] of [['dpkg', '/var/lib/dpkg'], ['apt', '/var/lib/apt']] as const) {
      if (isDirectory(directory)) trees.push({ name, path: directory, hidden: [] });
    }
  }
  return { trees: trees.map((tree) => hide(tree, options.hidden)), links };
}

/**
 * Hides what lies below a tree's top (the runner's own folder, the engine's data). Of two names, one below the other, only the upper
 * is kept: a whiteout for the lower one would need the upper as a directory, and so bring it back.
 */
function hide(tree: ExposedTree, hidden: readonly string[]): ExposedTree {
  const names = new Set([...tree.hidden, ...hidden
    .filter((directory) => directory.startsWith(`${tree.path}/`))
    .map((directory) => path.relative(tree.path, directory))]);
  return { ...tree, hidden: [...names].filter((name) => ![...names].some((other) => name.startsWith(`${other}/`))) };
}

function isOutside(directory: string, trees: readonly ExposedTree[]): boolean {
  return !trees.some((tree) => directory === tree.path || directory.startsWith(`${tree.path}/`));
}

function isDirectory(directory: string): boolean {
  return fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readNames(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
