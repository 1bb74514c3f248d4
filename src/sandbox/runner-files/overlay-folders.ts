import type { TarEntry } from './pack-tree.ts';

/** `name`: of its folder on the disk. `owner`: of the top of what shows, root's with 0755 by default. */
export type OverlayFolders = { name: string; owner?: { uid: number; gid: number; mode: number } };

/** overlayfs shows the upper directory's owner and mode as those of the merged top. */
export function overlayFolders({ name, owner }: OverlayFolders): TarEntry[] {
  return [
    { name: `${name}/upper`, type: 'directory', uid: owner?.uid ?? 0, gid: owner?.gid ?? 0, mode: owner?.mode ?? 0o755 },
    { name: `${name}/work`, type: 'directory', uid: 0, gid: 0, mode: 0o700 },
  ];
}
