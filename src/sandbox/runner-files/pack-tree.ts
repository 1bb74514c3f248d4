import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';

/** One entry of the tree a disk starts with. `name` is relative, without a trailing slash; `mode` has permission bits only. */
export type TarEntry = { name: string; mode: number; uid: number; gid: number } & (
  | { type: 'file'; content: Buffer | string }
  | { type: 'directory' }
  | { type: 'symlink'; target: string }
  /** hides the entry of that name in an overlay's lower tree: a character device 0:0 (overlayfs.rst) */
  | { type: 'whiteout' }
);

/** The entries as one tar archive, in memory and in the order given: a directory must come before what is in it. */
export async function packTree(entries: readonly TarEntry[]): Promise<Buffer> {
  const pack = tar.pack();
  const packed = buffer(pack);
  const mtime = new Date();
  for (const entry of entries) {
    const { name, mode, uid, gid } = entry;
    if (entry.type === 'symlink') pack.entry({ name, mode, uid, gid, mtime, type: 'symlink', linkname: entry.target });
    else if (entry.type === 'directory') pack.entry({ name: `${name}/`, mode, uid, gid, mtime, type: 'directory' });
    else if (entry.type === 'whiteout') pack.entry({ name, mode, uid, gid, mtime, type: 'character-device', devmajor: 0, devminor: 0 });
    else pack.entry({ name, mode, uid, gid, mtime, type: 'file' }, Buffer.from(entry.content as Buffer));
  }
  pack.finalize();
  return packed;
}
