/** Null where it was deleted under this process (getcwd(3): ENOENT). */
export function currentDirectory(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}
