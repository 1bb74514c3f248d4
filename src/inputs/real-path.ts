import fs from 'node:fs';
import path from 'node:path';

/** The path without links, of what there is of it; the rest has none yet. */
export function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    const parent = path.dirname(file);
    return parent === file ? file : path.join(realPath(parent), path.basename(file));
  }
}
