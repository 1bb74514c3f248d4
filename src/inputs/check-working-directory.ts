import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../policy/quote.ts';

/** Where there is no workspace, a relative path starts from the sandbox's home directory. */
const HOME = '/home/runner';

/**
 * The absolute path a command starts in. What lies in the workspace is looked up now; whether the sandbox has any other directory is
 * only known inside. `workspacePath` is its real path, or null where there is none.
 */
export function checkWorkingDirectory(
  text: string,
  { workspacePath }: { workspacePath: string | null },
): { ok: true; value: string } | { ok: false; problem: string } {
  const directory = path.resolve(workspacePath ?? HOME, text);
  if (workspacePath === null || !`${directory}/`.startsWith(`${workspacePath}/`)) return { ok: true, value: directory };
  let found: fs.Stats | undefined;
  try {
    found = fs.statSync(directory, { throwIfNoEntry: false });
  } catch (error) {
    // ENOTDIR and the like: a file stands where a directory should.
    return { ok: false, problem: `${quote(text)} cannot be entered (${(error as NodeJS.ErrnoException).code}): write a directory of the workspace ${quote(workspacePath)}` };
  }
  if (found?.isDirectory()) return { ok: true, value: directory };
  return { ok: false, problem: `${quote(text)} ${found === undefined ? 'does not exist' : 'is not a directory'} in the workspace ${quote(workspacePath)}: make it first, or write another` };
}
