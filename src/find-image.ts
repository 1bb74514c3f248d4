import type { Host, RunConfig, SnapshotRequest } from './config.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import { obtainSnapshot } from './sandbox/snapshot/obtain-snapshot.ts';
import { readRecord } from './snapshots/records.ts';
import { quote } from './policy/quote.ts';
import { obtainImage, type ObtainedImage } from './sandbox/image/obtain-image.ts';
import type { TimeStage } from './usage/time-stages.ts';

export type FindImageOptions = { config: RunConfig; host: Host; events: RunEvents; signal: AbortSignal; timed: TimeStage };

/** The sandbox's image, pulled where the engine does not have it; null for the runner's own tools, and when the run was cancelled meanwhile. */
export async function findImage(engine: Engine, { config, host, events, signal, timed }: FindImageOptions): Promise<ObtainedImage | null> {
  if (config.snapshotFrom != null) return findSnapshot(engine, config.snapshotFrom, host);
  const { image: reference } = config;
  if (reference === 'runner') return null;
  try {
    return await timed('image: finding or pulling', () => obtainImage(engine, {
      reference, configDirectory: host.dockerConfigDirectory, signal, onProgress: (task, state) => events.onProgress?.(task, state),
    }));
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

async function findSnapshot(engine: Engine, { name, digest }: SnapshotRequest, { snapshots }: Host): Promise<ObtainedImage> {
  if (snapshots?.directory == null) throw new Error('snapshot-from: where snapshots are recorded is not known: set HOME, or DECOY_SNAPSHOTS to an absolute path');
  const record = await readRecord(snapshots.directory, { scopes: snapshots.read, name });
  if (record === null) throw new Error(`snapshot-from: there is no snapshot ${quote(name)} this run may start from: save it first, with \`snapshot-to\` on this machine and for this branch, or see \`decoy snapshots\``);
  if (digest !== null && record.digest !== digest) throw new Error(`snapshot-from: the snapshot ${quote(name)} has the digest ${record.digest}, not ${digest}: write that one if it is what you want`);
  return obtainSnapshot(engine, record);
}
