import fs from 'node:fs/promises';
import type { RunConfig } from './config.ts';
import type { RootLayout } from './sandbox/exposed-trees.ts';
import type { Workspace } from './sandbox/filesystem.ts';
import type { ImageLayout } from './sandbox/image/image-layout.ts';
import { homeFolder, OWN_HOME } from './sandbox/image/image-mounts.ts';
import { imageTree } from './sandbox/image/image-tree.ts';
import { arrangeTree } from './sandbox/runner-files/arrange-tree.ts';
import { collectEtc } from './sandbox/runner-files/collect-etc.ts';
import { hiddenEntries } from './sandbox/runner-files/hidden-entries.ts';
import type { OverlayFolders } from './sandbox/runner-files/overlay-folders.ts';
import { userHome } from './sandbox/runner-files/accounts.ts';
import { packTree, type TarEntry } from './sandbox/runner-files/pack-tree.ts';
import { sandboxTree } from './sandbox/runner-files/sandbox-tree.ts';
import { workspaceMasks } from './sandbox/runner-files/workspace-masks.ts';
import { serviceNames } from './services/names.ts';
import type { Authority } from './trust/authority.ts';
import { buildTrustStore } from './trust/pkcs12.ts';
import { readSystemRoots } from './trust/system-roots.ts';
import { buildTrustBundle } from './trust/trust-bundle.ts';
import { trustFiles } from './trust/trust-files.ts';

export type LayOutOptions = {
  config: RunConfig; authority: Authority; user: { uid: number; gid: number }; layout: RootLayout; workspace: Workspace | null; imageLayout: ImageLayout | null;
};

/** Everything the sandbox's disk starts with, as an archive: /etc, home, the roots clients trust, the script, and what hides files of the runner's. */
export async function layOutTree({ config, authority, user, layout, workspace, imageLayout }: LayOutOptions): Promise<Buffer> {
  const authorityPem = authority.certificatePem;
  const [systemRootsPem, masks] = await Promise.all([readSystemRoots(), workspace === null ? [] : workspaceMasks(workspace.path, user)]);
  const bundlePem = buildTrustBundle({ systemRootsPem, authorityPem });
  const trust = { authorityPem, bundlePem, trustStore: buildTrustStore(splitPem(bundlePem)) };
  const overlays: OverlayFolders[] = [];
  if (workspace !== null) overlays.push({ name: 'workspace', owner: { ...user, mode: (await fs.stat(workspace.path)).mode & 0o777 | 0o700 } });
  const homes = homeFolders(config.volumes ?? [], { user, home: imageLayout === null ? OWN_HOME : homeFolder(imageLayout) });
  const hostNames = serviceNames(config);
  const common = { user, trust, trustFiles: trustFiles(trust), ...(config.command.kind === 'script' ? { script: config.command.text } : {}) };
  if (imageLayout !== null) return packTree(arrangeTree([...imageTree({ ...common, layout: imageLayout, overlays, hostNames }), ...homes, ...masks]));
  const etc = await collectEtc({ user, hostNames });
  const tree = sandboxTree({ ...common, etc, overlays: [...layout.trees.map(({ name }) => ({ name })), ...overlays] });
  return packTree(arrangeTree([...tree, ...homes, ...hiddenEntries(layout.trees), ...masks]));
}

/** The way to a volume in the home directory: the runtime would make it root's, and the user could put nothing beside. */
function homeFolders(volumes: NonNullable<RunConfig['volumes']>, { user, home }: { user: { uid: number; gid: number }; home: string }): TarEntry[] {
  return volumes.filter(({ path }) => path.startsWith(`${userHome}/`)).flatMap(({ path }) => {
    const parts = path.slice(userHome.length + 1).split('/');
    return parts.map((_, index): TarEntry => ({ name: `${home}/${parts.slice(0, index + 1).join('/')}`, type: 'directory', mode: 0o755, ...user }));
  });
}

function splitPem(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
