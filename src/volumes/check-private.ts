import fs from 'node:fs/promises';
import { quote } from '../policy/quote.ts';

/**
 * What is in these directories is trusted as the user's own: a file system the kernel mounts, the name of an image that is run.
 * @throws Error where a directory is not one, is somebody else's, or is open to others; `variable` is what would name another
 */
export async function checkPrivate(directory: string, { input, variable }: { input: string; variable: string }): Promise<void> {
  const stats = await fs.lstat(directory);
  const fault = !stats.isDirectory() ? 'is not a directory' : stats.uid !== process.getuid?.() ? 'belongs to another user' : (stats.mode & 0o077) !== 0 ? 'is open to other users' : null;
  if (fault !== null) throw new Error(`${input}: ${quote(directory)} ${fault}: make it a directory of your own with mode 0700 (\`chmod 700\`), or set ${variable} to one`);
}
