import { EngineError } from '../engine.ts';
import type { Keeper } from '../keeper.ts';
import { userHome, type SandboxUser } from '../runner-files/accounts.ts';
import { addAccounts, type Accounts } from './add-accounts.ts';
import { imageDirectories, type ImageDirectory, type ImageLook } from './image-directories.ts';
import { imagePath } from './image-environment.ts';
import type { ObtainedImage } from './obtain-image.ts';

/** How a sandbox of an image is laid out: what of it is mounted where, and what Decoy adds. */
export type ImageLayout = { image: ObtainedImage; directories: readonly ImageDirectory[]; accounts: Accounts; gitConfig: string; programs: readonly string[] };

export type ImageLayoutOptions = {
  image: ObtainedImage;
  user: SandboxUser;
  workspacePath: string | null;
  /** programs to look for in the image's PATH */
  programs: readonly string[];
  /** where the run's own volumes will be */
  mountPoints: readonly string[];
};

/** Files of /etc that the sandbox cannot change: they say how names are found. */
export const NETWORK_FILES = ['etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/** Has the keeper look at the image's files, and lays the sandbox out by them. */
export async function layOutImage(keeper: Keeper, { image, user, workspacePath, programs, mountPoints }: ImageLayoutOptions): Promise<ImageLayout> {
  const written = [...mountPoints, ...(workspacePath === null ? [] : [workspacePath])];
  const look = await keeper.lookAtImage({ volumes: image.volumes, programs, searchPath: imagePath(image), mountPoints: [...written, ...image.volumes] }).catch((error: Error) => {
    throw new EngineError(`the image ${JSON.stringify(image.reference)} cannot be used: ${error.message}`);
  });
  const crooked = look.crooked.find((place) => mountPoints.includes(place));
  if (workspacePath !== null && look.crooked.includes(workspacePath)) throw new EngineError(`the workspace ${JSON.stringify(workspacePath)} leads through a link or a file of the image ${JSON.stringify(image.reference)}: use another image, or a workspace elsewhere`);
  if (crooked !== undefined) throw new EngineError(`the volume at ${JSON.stringify(crooked)} leads through a link or a file of the image ${JSON.stringify(image.reference)}: choose another path, such as "/cache"`);
  const taken = [userHome, '/decoy', ...NETWORK_FILES.map((name) => `/${name}`), ...written];
  return {
    image,
    directories: imageDirectories({ image, look, taken, written, workspacePath }),
    accounts: addAccounts({ passwd: text(look, 'etc/passwd'), group: text(look, 'etc/group') }, user),
    gitConfig: text(look, 'etc/gitconfig'),
    programs: look.programs,
  };
}

/** latin1 keeps every byte as it is. */
function text({ files }: ImageLook, name: string): string {
  return Buffer.from(files[name] ?? '', 'base64').toString('latin1');
}
