import fs from 'node:fs/promises';
import path from 'node:path';
import { quote } from '../policy/quote.ts';
import type { NamedVolume, VolumeRequest } from '../sandbox/named-volumes.ts';

/**
 * Makes the folder of each volume in the user's directory of volumes, which nobody else can enter.
 * @throws Error where the directory is somebody else's or open to others
 */
export async function volumeFolders(directory: string, volumes: readonly VolumeRequest[]): Promise<NamedVolume[]> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  await checkPrivate(directory);
  return Promise.all(volumes.map(async (volume): Promise<NamedVolume> => {
    const folder = path.join(directory, volume.name);
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    await checkPrivate(folder);
    return { ...volume, folder };
  }));
}

/** Whoever could write there could have the kernel mount a file system of their making. */
async function checkPrivate(directory: string): Promise<void> {
  const stats = await fs.lstat(directory);
  const fault = !stats.isDirectory() ? 'is not a directory' : stats.uid !== process.getuid?.() ? 'belongs to another user' : (stats.mode & 0o077) !== 0 ? 'is open to other users' : null;
  if (fault !== null) throw new Error(`volumes: ${quote(directory)} ${fault}: make it a directory of your own with mode 0700 (\`chmod 700\`), or set DECOY_VOLUMES to one`);
}
