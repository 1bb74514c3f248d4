import type { SandboxUser } from '../runner-files/accounts.ts';
import { arrangeTree } from '../runner-files/arrange-tree.ts';
import { decoyFolder, type DecoyFolderOptions } from '../runner-files/decoy-folder.ts';
import { overlayFolders, type OverlayFolders } from '../runner-files/overlay-folders.ts';
import type { TarEntry } from '../runner-files/pack-tree.ts';
import { placedFile, type PlacedFile } from '../runner-files/placed-file.ts';
import { GIT_TRUSTS_ALL, networkFiles } from '../runner-files/written-files.ts';
import type { ImageDirectory } from './image-directories.ts';
import type { ImageLayout } from './image-layout.ts';
import { etcFolder, homeFolder } from './image-mounts.ts';

export type ImageTreeOptions = {
  layout: ImageLayout;
  user: SandboxUser;
  /** the workspace's, where there is one */
  overlays: readonly OverlayFolders[];
  /** absolute paths below /etc: what trustFiles gave */
  trustFiles: readonly PlacedFile[];
  /** see networkFiles */
  hostNames?: readonly string[];
} & DecoyFolderOptions;

/**
 * Everything the disk of an image's sandbox starts with, arranged for packTree: a folder for each of its directories, and in that
 * of /etc what takes the place of the image's own.
 */
export function imageTree(options: ImageTreeOptions): TarEntry[] {
  const { layout, user, overlays, trustFiles } = options;
  const etc = etcFolder(layout.directories);
  return arrangeTree([
    ...layout.directories.flatMap(folders),
    ...[...etcFiles(layout), ...networkFiles(options.hostNames), ...trustFiles.map(placedFile)].map((entry) => ({ ...entry, name: `${etc}/${entry.name.slice('etc/'.length)}` })),
    { name: homeFolder(layout), type: 'directory', mode: 0o755, ...user },
    ...overlays.flatMap(overlayFolders),
    ...decoyFolder(options),
  ]);
}

function folders({ target, folder, lower, uid, gid, mode }: ImageDirectory): TarEntry[] {
  if (lower !== null) return overlayFolders({ name: folder, owner: { uid, gid, mode } });
  const top: TarEntry = { name: folder, type: 'directory', uid, gid, mode };
  return target === '/var' ? [top, { name: `${folder}/tmp`, type: 'directory', uid: 0, gid: 0, mode: 0o1777 }] : [top];
}

function etcFiles({ accounts, gitConfig }: ImageLayout): TarEntry[] {
  return Object.entries({ passwd: accounts.passwd, group: accounts.group, gitconfig: `${gitConfig}${gitConfig === '' || gitConfig.endsWith('\n') ? '' : '\n'}${GIT_TRUSTS_ALL}` })
    .map(([name, content]): TarEntry => ({ name: `etc/${name}`, type: 'file', mode: 0o644, uid: 0, gid: 0, content: Buffer.from(content, 'latin1') }));
}
