/**
 * One path of the workspace as the sandbox left it. `path` is relative to the workspace and has one character for each of its bytes
 * (latin1), since names need not be UTF-8.
 */
export type ChangedEntry = { path: string } & (
  | { kind: 'removed' }
  | { kind: 'file'; executable: boolean; content: Buffer }
  | { kind: 'link'; target: Buffer }
);

/** The path as people read it. */
export function readable(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** `a/b/c`: `a`, `a/b`. */
export function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
