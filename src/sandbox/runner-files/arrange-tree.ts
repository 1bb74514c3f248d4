import type { TarEntry } from './pack-tree.ts';

/**
 * The entries made fit for unpacking: of two with one name the later wins; every directory on the way to an entry
 * exists and comes before it; and nothing lies below a symbolic link, so that no unpacker ever writes through one
 * (a link in the way, as Fedora's /etc/ssl/certs, becomes a directory). Sorted by name, so the result is
 * the same whatever order the entries came in.
 */
export function arrangeTree(entries: readonly TarEntry[]): TarEntry[] {
  const byName = new Map(entries.map((entry) => [checkName(entry), entry]));
  const checked = new Set<string>();
  for (const { name } of entries) {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const parent = name.slice(0, end);
      // Those above it have been seen to then.
      if (checked.has(parent)) break;
      checked.add(parent);
      if (byName.get(parent)?.type !== 'directory') byName.set(parent, directory(parent));
    }
  }
  return [...byName.keys()].sort().map((name) => byName.get(name) as TarEntry);
}

function checkName(entry: TarEntry): string {
  if (/(^|\/)\.{0,2}(\/|$)/.test(entry.name)) {
    throw new Error(`cannot place ${JSON.stringify(entry.name)} on the sandbox's disk: the name must be relative, without empty, "." or ".." parts`);
  }
  return entry.name;
}

function directory(name: string): TarEntry {
  return { name, type: 'directory', mode: 0o755, uid: 0, gid: 0 };
}
