import fs from 'node:fs/promises';
import path from 'node:path';
import { checkPrivate } from './check-private.ts';
import type { NamedVolume, VolumeRequest } from '../sandbox/named-volumes.ts';

/**
 * Makes the folder of each volume in the user's directory of volumes, which nobody else can enter.
 * @throws Error where the directory is somebody else's or open to others
 */
export async function volumeFolders(directory: string, volumes: readonly VolumeRequest[]): Promise<NamedVolume[]> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  await checkPrivate(directory, { input: 'volumes', variable: 'DECOY_VOLUMES' });
  return Promise.all(volumes.map(async (volume): Promise<NamedVolume> => {
    const folder = path.join(directory, volume.name);
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    await checkPrivate(folder, { input: 'volumes', variable: 'DECOY_VOLUMES' });
    return { ...volume, folder };
  }));
}
