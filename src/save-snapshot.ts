import type { Host, RunConfig } from './config.ts';
import { imageName } from './image-name.ts';
import { quote } from './policy/quote.ts';
import type { PreparedSandbox } from './prepare-sandbox.ts';
import type { Outcome } from './report/decide-conclusion.ts';
import type { Conclusion, Report } from './report/report.ts';
import type { RunEvents } from './run.ts';
import type { Engine } from './sandbox/engine.ts';
import type { StagedSnapshot } from './sandbox/snapshot/stage-snapshot.ts';
import { readRecord, snapshotTag, writeRecord } from './snapshots/records.ts';

export type SnapshotSaverOptions = { config: RunConfig; host: Host; events: Pick<RunEvents, 'onStage' | 'onWarning'>; signal: AbortSignal };

/** Saves the sandbox's file system in two steps: while the disk is there, and once it is known how the run ended. */
export type SnapshotSaver = AsyncDisposable & {
  /** `cut`: why the command did not end by itself, else null */
  stage(prepared: PreparedSandbox, cut: Outcome | null): Promise<void>;
  /** Keeps what was staged where the command ended by itself, as `workspace: write` does. @throws Error where it cannot, or could not be staged */
  save(engine: Engine, conclusion: Conclusion): Promise<Report['snapshot'] | null>;
};

export function snapshotSaver({ config, host, events, signal }: SnapshotSaverOptions): SnapshotSaver {
  const name = config.snapshotTo ?? null;
  let staged: StagedSnapshot | null = null;
  let problem: Error | null = null;
  return {
    stage: async (prepared, cut) => {
      if (name === null || cut !== null) return;
      events.onStage('saving the snapshot', 'end');
      try {
        staged = await prepared.stageSnapshot({ signal });
      } catch (error) {
        problem = error as Error;
      }
    },
    save: async (engine, conclusion) => {
      if (name === null) return null;
      if (conclusion !== 'success' && conclusion !== 'failure') {
        events.onWarning(`the snapshot ${quote(name)} was not saved, as the run ended with ${conclusion}`);
        return null;
      }
      if (problem !== null) throw problem;
      return staged === null ? null : keep(engine, staged, { name, config, host });
    },
    [Symbol.asyncDispose]: async () => void await staged?.[Symbol.asyncDispose](),
  };
}

async function keep(engine: Engine, staged: StagedSnapshot, { name, config, host: { snapshots } }: { name: string; config: RunConfig; host: Host }): Promise<Report['snapshot']> {
  if (snapshots?.directory == null || snapshots.write === null) throw new Error(`snapshot-to: ${quote(name)} may not be saved here: leave it out`);
  const { directory, write: scope } = snapshots;
  const tag = snapshotTag(directory, { scope, name });
  const before = await readRecord(directory, { scopes: [scope], name });
  const digest = await staged.commit({ tag, name });
  await writeRecord(directory, { name, scope, digest, image: imageName(config), savedAt: new Date().toISOString() });
  // One that a container or another snapshot still needs stays.
  if (before !== null && before.digest !== digest) await engine.docker.getImage(before.digest).remove().catch(() => {});
  return { name, digest };
}
