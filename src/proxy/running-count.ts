import type { ClientAnswer } from './client.ts';
import type { ProxyLimits } from './limits.ts';
import type { Refusal } from './refusal.ts';

/** Counts the requests under way, of all connections and protocols. */
export type RunningCount = {
  isFull(): boolean;
  /** Counts until the answer's stream closes. */
  add(answer: ClientAnswer): void;
};

export function createRunningCount({ requestsRunning }: Pick<ProxyLimits, 'requestsRunning'>): RunningCount {
  let running = 0;
  return {
    isFull: () => running >= requestsRunning,
    add(answer) {
      running += 1;
      answer.onClosed(() => {
        running -= 1;
      });
    },
  };
}

export function tooManyRunning({ requestsRunning }: Pick<ProxyLimits, 'requestsRunning'>): Refusal {
  return {
    status: 503, decision: 'blocked', reason: 'capacity',
    remedy: `Wait for answers: a run may have ${requestsRunning} requests under way at once, or raise requests-running in proxy-limits.`,
  };
}
