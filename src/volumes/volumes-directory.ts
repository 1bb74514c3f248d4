import path from 'node:path';

/** Where this user's volumes are (XDG Base Directory Specification), or null where the environment does not tell. */
export function volumesDirectory({ DECOY_VOLUMES: own, XDG_DATA_HOME: data, HOME: home }: Readonly<Record<string, string | undefined>>): string | null {
  if (own) return path.isAbsolute(own) ? path.resolve(own) : null;
  if (data && path.isAbsolute(data)) return path.join(data, 'decoy', 'volumes');
  return home && path.isAbsolute(home) ? path.join(home, '.local', 'share', 'decoy', 'volumes') : null;
}
