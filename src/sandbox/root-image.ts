import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import type { Engine } from './engine.ts';
import { EngineError } from './engine.ts';
import type { RootLayout } from './exposed-trees.ts';
import { packTree, type TarEntry } from './runner-files/pack-tree.ts';

/** Where the guest program lies in every container Decoy starts. */
export const GUEST_PATH = '/decoy-guest';

const REPOSITORY = 'decoy-root';
const MOUNT_POINTS = ['decoy', 'dev', 'disk', 'etc', 'file', 'home', 'lower/workspace', 'merged', 'opt', 'proc', 'root', 'run/decoy', 'sys', 'tmp', 'usr', 'var'];

/**
 * Imports, once for a machine, the image all containers start from: the root-level symbolic links of the host, empty mount
 * points and the guest program. It holds nothing of a run and is named by its content, so it is kept between runs;
 * `decoy clean --images` removes it.
 * @returns the image's name
 */
export async function ensureRootImage(engine: Engine, options: { guestFile: string; layout: RootLayout }): Promise<string> {
  const guest = await readGuest(options.guestFile);
  const entries = rootEntries(guest, options.layout);
  const digest = createHash('sha256').update(JSON.stringify(options.layout.links)).update(JSON.stringify(MOUNT_POINTS)).update(guest);
  const tag = digest.digest('hex').slice(0, 16);
  const image = `${REPOSITORY}:${tag}`;
  if (await exists(engine, image)) return image;
  // The typings leave out that the archive may be a buffer and that a promise comes back.
  const importImage = engine.docker.importImage.bind(engine.docker) as unknown as (archive: Buffer, options: object) => Promise<NodeJS.ReadableStream>;
  const progress = await importImage(packTree(entries), { repo: REPOSITORY, tag, changes: ['LABEL decoy=1'] });
  await new Promise<void>((resolve, reject) => {
    engine.docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
  return image;
}

async function readGuest(file: string): Promise<Buffer> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new EngineError(
      `cannot read the guest program ${JSON.stringify(file)} (${code}): Decoy runs on Linux x64 and arm64; check that dist/ is complete`,
    );
  }
}

function rootEntries(guest: Buffer, layout: RootLayout): TarEntry[] {
  return [
    ...MOUNT_POINTS.flatMap((name) => directoriesTo(name)),
    ...layout.links.map((link): TarEntry => ({ name: link.name, type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: link.target })),
    { name: GUEST_PATH.slice(1), type: 'file', mode: 0o755, uid: 0, gid: 0, content: guest },
  ];
}

function directoriesTo(name: string): TarEntry[] {
  const parts = name.split('/');
  return parts.map((_, index) => ({ name: parts.slice(0, index + 1).join('/'), type: 'directory', mode: 0o755, uid: 0, gid: 0 }));
}

async function exists(engine: Engine, image: string): Promise<boolean> {
  try {
    await engine.docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}
