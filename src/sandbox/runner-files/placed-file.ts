import type { TarEntry } from './pack-tree.ts';

/** A file, or a symbolic link with a relative target, at an absolute path inside the sandbox. */
export type PlacedFile = { path: string; content: Buffer } | { path: string; target: string };

/** Root's, and everybody's to read. */
export function placedFile(file: PlacedFile): TarEntry {
  const name = file.path.slice(1);
  if ('target' in file) return { name, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: file.target };
  return { name, type: 'file', mode: 0o644, uid: 0, gid: 0, content: file.content };
}
