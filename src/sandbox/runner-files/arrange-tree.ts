import type { TarEntry } from './pack-tree.ts';

/**
 * The entries made fit for unpacking: of two with one name the later wins; every directory on the way to an entry
 * exists and comes before it; and nothing lies below a symbolic link, so that no unpacker ever writes through one
 * (a link in the way, as Fedora's /etc/ssl/certs, becomes a directory). Sorted by name, so the result is
 * the same whatever order the entries came in.
 */
export function arrangeTree(entries: readonly TarEntry[]): TarEntry[] {
  const byName = new Map(entries.map((entry) => [checkName(entry), entry]));
  for (const { name } of entries) {
    for (const parent of parents(name)) {
      if (byName.get(parent)?.type !== 'directory') byName.set(parent, directory(parent));
    }
  }
  return Array.from(byName.values()).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function checkName(entry: TarEntry): string {
  const parts = entry.name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`cannot place ${JSON.stringify(entry.name)} on the sandbox's disk: the name must be relative, without empty, "." or ".." parts`);
  }
  return entry.name;
}

function parents(name: string): string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function directory(name: string): TarEntry {
  return { name, type: 'directory', mode: 0o755, uid: 0, gid: 0 };
}
