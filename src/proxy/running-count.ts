import type { Writable } from 'node:stream';
import type { Refusal } from './refusal.ts';

/** Counts the requests under way, of all connections and protocols. */
export type RunningCount = {
  isFull(): boolean;
  /** Counts until the answer's stream closes. */
  add(answer: Writable): void;
};

export function createRunningCount(): RunningCount {
  let running = 0;
  return {
    isFull: () => running >= MAX_RUNNING,
    add(answer) {
      running += 1;
      answer.once('close', () => {
        running -= 1;
      });
    },
  };
}

/** As many as the gateway lets connections in: each holds memory of the process that has the secrets. */
const MAX_RUNNING = 4096;

export const tooManyRunning: Refusal = {
  status: 503, decision: 'blocked', reason: 'capacity', remedy: `Wait for answers: a run may have ${MAX_RUNNING} requests under way at once.`,
};
