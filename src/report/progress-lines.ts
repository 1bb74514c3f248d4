/** Lines for a log on what is waited for. A line once written stays, so there are ever fewer of them: 16 in the ten minutes a pull may take. */
export type ProgressLines = {
  /** the line to write now; null: none. A task that is new is told at once. */
  next(progress: { task: string; state: string | null; atMs: number }): string | null;
};

const FIRST_INTERVAL_MS = 5_000;
const SLOWER = 1.25;

export function createProgressLines(): ProgressLines {
  let current: string | null = null;
  let nextMs = 0;
  let intervalMs = FIRST_INTERVAL_MS;
  return {
    next: ({ task, state, atMs }) => {
      const isNew = task !== current;
      if (!isNew && (state === null || atMs < nextMs)) return null;
      intervalMs = isNew ? FIRST_INTERVAL_MS : intervalMs * SLOWER;
      nextMs = atMs + intervalMs;
      current = task;
      return state === null ? task : `${task}: ${state}`;
    },
  };
}
