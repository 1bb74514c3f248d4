import { userHome } from '../runner-files/accounts.ts';
import type { SandboxMount } from '../sandbox.ts';
import type { ImageDirectory } from './image-directories.ts';
import { NETWORK_FILES, type ImageLayout } from './image-layout.ts';

/** The sandbox's mounts that are plain folders of its disk; `diskPath` is where the engine's host has it. */
export function imageMounts({ directories }: ImageLayout, diskPath: string): SandboxMount[] {
  const etc = etcFolder(directories);
  return [
    ...directories.filter(({ lower }) => lower === null).map(({ folder, target }): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${folder}`, target, readOnly: false })),
    { kind: 'bind', source: `${diskPath}${userHome}`, target: userHome, readOnly: false },
    ...NETWORK_FILES.map((name): SandboxMount => ({ kind: 'bind', source: `${diskPath}/${etc}/${name.slice('etc/'.length)}`, target: `/${name}`, readOnly: true })),
    { kind: 'bind', source: `${diskPath}/decoy`, target: '/decoy', readOnly: true },
  ];
}

/** Where on the disk files for the sandbox's /etc go. */
export function etcFolder(directories: readonly ImageDirectory[]): string {
  const { folder, lower } = directories.find(({ target }) => target === '/etc') as ImageDirectory;
  return lower === null ? folder : `${folder}/upper`;
}
