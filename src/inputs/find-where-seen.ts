import path from 'node:path';
import type { RootLayout } from '../sandbox/exposed-trees.ts';

export type SeenOptions = {
  trees: RootLayout['trees'];
  /** null: the sandbox has none */
  workspacePath: string | null;
};

/** The directory of the host through which the sandbox could read a file, or null. `file` is a real path. */
export function findWhereSeen(file: string, { trees, workspacePath }: SeenOptions): string | null {
  if (workspacePath !== null && isWithin(file, workspacePath)) return workspacePath;
  const tree = trees.find((candidate) => isWithin(file, candidate.path) && !candidate.hidden.some((name) => isWithin(file, path.join(candidate.path, name))));
  return tree?.path ?? null;
}

function isWithin(file: string, directory: string): boolean {
  return file === directory || file.startsWith(`${directory}/`);
}
