import type { ExposedTree } from '../exposed-trees.ts';
import type { TarEntry } from './pack-tree.ts';

/** Overlay whiteouts (a character device 0:0, overlayfs.rst) for what a tree hides. */
export function hiddenEntries(trees: readonly ExposedTree[]): TarEntry[] {
  return trees.flatMap((tree) => tree.hidden.map((name): TarEntry => (
    { name: `${tree.name}/upper/${name}`, type: 'whiteout', mode: 0, uid: 0, gid: 0 }
  )));
}
