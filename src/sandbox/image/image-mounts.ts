import path from 'node:path';
import { userHome } from '../runner-files/accounts.ts';
import type { SandboxMount } from '../sandbox.ts';
import type { ImageDirectory } from './image-directories.ts';
import { NETWORK_FILES, type ImageLayout } from './image-layout.ts';

/** The sandbox's mounts that are plain folders of its disk; `diskPath` is where the engine's host has it. */
export function imageMounts(layout: ImageLayout, diskPath: string): SandboxMount[] {
  const { directories } = layout;
  const etc = etcFolder(directories);
  return [
    ...directories.filter(({ lower }) => lower === null).map(({ folder, target }): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${folder}`, target, readOnly: false })),
    ...(homeFolder(layout) === OWN_HOME ? [{ kind: 'bind' as const, source: `${diskPath}/${OWN_HOME}`, target: userHome, readOnly: false }] : []),
    ...NETWORK_FILES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${etc}/${name.slice('etc/'.length)}`, target: `/${name}`, readOnly: true })),
    { kind: 'bind', source: `${diskPath}/decoy`, target: '/decoy', readOnly: true },
  ];
}

/** Where on the disk a home directory is that is fresh in every run. */
export const OWN_HOME = userHome.slice(1);

/** Where on the disk the user's home is: one of its own, or with a snapshot over what that has. */
export function homeFolder({ image, directories }: Pick<ImageLayout, 'image' | 'directories'>): string {
  const home = image.isSnapshot === true ? directories.find(({ target }) => target === path.posix.dirname(userHome)) : undefined;
  return home === undefined ? OWN_HOME : `${writtenFolder(home)}/${path.posix.basename(userHome)}`;
}

/** Where on the disk a directory's own files go. */
export function writtenFolder({ folder, lower }: ImageDirectory): string {
  return lower === null ? folder : `${folder}/upper`;
}

/** Where on the disk files for the sandbox's /etc go. */
export function etcFolder(directories: readonly ImageDirectory[]): string {
  return writtenFolder(directories.find(({ target }) => target === '/etc') as ImageDirectory);
}
