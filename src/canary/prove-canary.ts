import type { Probe } from '../sandbox/probe-channel.ts';
import type { CanaryUpstream } from './canary-upstream.ts';
import { CanaryError, type CheckName } from './canary-error.ts';
import { askBoundHost, checks } from './checks.ts';
import { openClients, type CanaryAnswer } from './canary-client.ts';
import type { Canary } from './mint-canary.ts';

export type CanaryParts = {
  canary: Canary;
  probe: Probe;
  upstream: Pick<CanaryUpstream, 'handshakes' | 'requests'>;
  /** the run's authority, PEM */
  authorityPem: string;
  /** IP literals that rules allow: they do have a route */
  literals: readonly string[];
  /** takes the canary away, so that nothing answers for it any more */
  withdraw(): Promise<void>;
  /** for the whole of it */
  deadlineMs?: number;
};

/**
 * Does, from inside the sandbox's network and before there is a command, what one could do, and holds what comes of it against what
 * must come of it (I15). Nothing is simulated: names go through the gateway's DNS, connections through its listeners, requests
 * through the run's own proxy.
 * @throws CanaryError on the first thing that is not as it must be
 */
export async function proveCanary({ deadlineMs = DEADLINE_MS, ...parts }: CanaryParts): Promise<void> {
  const clients = openClients(parts);
  let answer: Promise<CanaryAnswer> | undefined;
  const echo = () => (answer ??= askBoundHost({ ...parts, clients }));
  let current: CheckName = 'no route';
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CanaryError(current, `there was no result within ${deadlineMs / 1000} s`)), deadlineMs);
  });
  const proven = (async () => {
    for (const { name, check } of checks) {
      current = name;
      const problem = await check({ ...parts, clients, echo }).catch((error: NodeJS.ErrnoException) => `the connection failed (${error.code ?? error.message})`);
      if (problem !== null) throw new CanaryError(name, problem);
    }
    current = 'withdrawal';
    clients[Symbol.dispose]();
    await parts.withdraw().catch((error: Error) => {
      throw new CanaryError('withdrawal', error.message);
    });
  })();
  proven.catch(() => {});
  try {
    await Promise.race([proven, expired]);
  } finally {
    clearTimeout(timer);
    clients[Symbol.dispose]();
  }
}

/** Some hundred times what it takes on an idle machine: with 5 s, a run failed on an emulated one under load. It is only waited out where a part of it is dead. */
const DEADLINE_MS = 60_000;
