import path from 'node:path';

/** Where this user's volumes or snapshots are: named by Decoy's own variable, else by the XDG Base Directory Specification; null where the environment does not tell. */
export function userDirectory(folder: 'volumes' | 'snapshots', environment: Readonly<Record<string, string | undefined>>): string | null {
  const { XDG_DATA_HOME: data, HOME: home } = environment;
  const own = environment[`DECOY_${folder.toUpperCase()}`];
  if (own) return path.isAbsolute(own) ? path.resolve(own) : null;
  if (data && path.isAbsolute(data)) return path.join(data, 'decoy', folder);
  return home && path.isAbsolute(home) ? path.join(home, '.local', 'share', 'decoy', folder) : null;
}
