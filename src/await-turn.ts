import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOwned, ownedPrefix } from './owned-directory.ts';
import { renderCount, renderSeconds } from './report/quantities.ts';

/** `over` gives the turn to the next; so does disposal, and the end of this process, whatever ends it. */
export type Turn = Disposable & { waitedMs: number; over(): void };

export type TurnOptions = {
  signal: AbortSignal;
  /** called with the number of starts that must be over first, when it changes */
  onWait(before: number): void;
  atOnce?: number;
  patienceMs?: number;
};

const PATIENCE_MS = 15 * 60_000;
/** The next one looks this often, those behind it less: fifty that wait shall not be the load that they wait for. */
const LOOK_MS = 100;
const LAST_LOOK_MS = 1000;

/**
 * How many sandboxes this user's Decoys start at once. A start is work for every core, by the engine, the kernel and Node; with too many at once
 * none has its canary's answer in time. docs/faults.md has what was measured.
 */
export function startsAtOnce(): number {
  return Math.min(Math.max(4, 2 * os.availableParallelism()), 32);
}

/**
 * Waits until few enough others of this user are starting a sandbox on this machine, first come first served. Whoever starts has a directory that tells whose
 * it is; that of a process which is gone does not count. Two that come within the same tick of the file system's clock may both go: it is a limit of load, not of safety.
 * @throws Error with the remedy when its turn does not come in time
 */
export async function awaitTurn({ signal, onWait, atOnce = startsAtOnce(), patienceMs = PATIENCE_MS }: TurnOptions): Promise<Turn> {
  const own = makePlace();
  const over = () => { if (own !== null) fs.rmSync(own, { recursive: true, force: true }); };
  const startedMs = performance.now();
  let told = 0;
  try {
    for (;;) {
      const before = (own === null ? 0 : countBefore(path.basename(own))) - atOnce + 1;
      const waitedMs = performance.now() - startedMs;
      if (before <= 0 || signal.aborted) return { waitedMs: told === 0 ? 0 : waitedMs, over, [Symbol.dispose]: over };
      if (waitedMs > patienceMs) throw new Error(tooLate({ atOnce, patienceMs }));
      if (before !== told) onWait(before);
      told = before;
      await sleep(Math.min(LOOK_MS * before, LAST_LOOK_MS), undefined, { signal }).catch(() => {});
    }
  } catch (error) {
    over();
    throw error;
  }
}

/** Null where it cannot be made: then the run's directory cannot be either, which is told with its remedy. */
function makePlace(): string | null {
  try {
    return fs.mkdtempSync(ownedPrefix('start'));
  } catch {
    return null;
  }
}

/** Those of living processes of this user that came earlier. Synchronous, for a start that waits for nobody is not to wait for a turn of the thread pool either. */
function countBefore(own: string): number {
  const directory = os.tmpdir();
  const names = fs.readdirSync(directory).filter((name) => isOwned(name, 'start'));
  if (names.length <= 1) return 0;
  const found = names.flatMap((name) => {
    const stats = fs.lstatSync(path.join(directory, name), { bigint: true, throwIfNoEntry: false });
    return stats?.uid === BigInt(process.getuid?.() ?? 0) ? [{ name, atNs: stats.ctimeNs }] : [];
  });
  const inOrder = found.toSorted((a, b) => Number(a.atNs - b.atNs) || (a.name < b.name ? -1 : 1));
  return Math.max(0, inOrder.findIndex(({ name }) => name === own));
}

function tooLate({ atOnce, patienceMs }: { atOnce: number; patienceMs: number }): string {
  return `waited ${renderSeconds(patienceMs / 1000)} for ${renderCount(atOnce, 'other sandbox start')} of this user, and nothing was run: end the Decoys that hang (ps -C node shows them), or start fewer at once`;
}
