import type { Engine } from '../engine.ts';
import { SNAPSHOT_REPOSITORY } from './stage-snapshot.ts';

/** Takes the tag of a snapshot away, where it still is that snapshot's, and with it the image. One that a container or another snapshot needs stays until they are gone. */
export async function removeSnapshotImage(engine: Engine, { tag, digest }: { tag: string; digest: string }): Promise<void> {
  const image = engine.docker.getImage(`${SNAPSHOT_REPOSITORY}:${tag}`);
  const { Id } = await image.inspect().catch(() => ({ Id: null }));
  if (Id === digest) await image.remove().catch(() => {});
  await engine.docker.getImage(digest).remove().catch(() => {});
}
