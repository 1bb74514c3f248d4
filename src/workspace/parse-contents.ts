import type { ChangedEntry } from './changed-entry.ts';

/** As the keeper announces them: the path in base64, git's mode in octal digits (empty: the path is gone), and how many of the following bytes are its. */
export type Content = { path: string; mode: string; size: number };

/** How many bytes of contents follow. */
export function contentBytes(contents: readonly Content[]): number {
  return contents.reduce((sum, { size }) => sum + size, 0);
}

/** @throws Error where the announcement and the bytes do not agree */
export function parseContents(contents: readonly Content[], bytes: Buffer): ChangedEntry[] {
  if (contentBytes(contents) !== bytes.length) throw new Error(`${contentBytes(contents)} bytes of changed files were announced, and ${bytes.length} came`);
  let at = 0;
  return contents.map(({ path, mode, size }): ChangedEntry => {
    const own = bytes.subarray(at, at += size);
    const name = Buffer.from(path, 'base64').toString('latin1');
    switch (mode) {
      case '': return { path: name, kind: 'removed' };
      case '120000': return { path: name, kind: 'link', target: own };
      case '100644': case '100755': return { path: name, kind: 'file', executable: mode === '100755', content: own };
      default: throw new Error(`a changed file has the mode ${JSON.stringify(mode)}, which is none of git's`);
    }
  });
}
