import { expect, test } from 'vitest';
import { decideConclusion, type Circumstances, type Outcome } from '../../src/report/decide-conclusion.ts';

const exited = (exitCode: number): Outcome => ({ kind: 'exited', exitCode });
const everything: Partial<Circumstances> = { oomKills: 1, storageFull: true, blocked: 1, failOnBlocked: true };

test.each<[string, Outcome, Partial<Circumstances>, string, number]>([
  ['exit 0', exited(0), {}, 'success', 0],
  ['exit 3', exited(3), {}, 'failure', 3],
  ['exit 255', exited(255), {}, 'failure', 255],
  ['killed by a signal of its own', exited(137), {}, 'failure', 137],
  ['exit 256 is not 0', exited(256), {}, 'failure', 1],
  ['exit -1', exited(-1), {}, 'failure', 1],
  ['no number', exited(Number.NaN), {}, 'failure', 1],
  ['time-out, whatever else', { kind: 'timeout' }, everything, 'timeout', 124],
  ['SIGINT, whatever else', { kind: 'cancelled', signal: 'SIGINT' }, everything, 'cancelled', 130],
  ['SIGTERM', { kind: 'cancelled', signal: 'SIGTERM' }, {}, 'cancelled', 143],
  ['Decoy failed, whatever else', { kind: 'error', message: 'no engine' }, everything, 'error', 125],
  ['killed at the memory cap', exited(137), { oomKills: 1 }, 'oom', 137],
  ['a child killed, and the command failed of it', exited(2), { oomKills: 3 }, 'oom', 137],
  ['a child killed, but the command succeeded', exited(0), { oomKills: 1 }, 'success', 0],
  ['memory and disk both', exited(1), { oomKills: 1, storageFull: true }, 'oom', 137],
  ['disk full, and failed', exited(5), { storageFull: true }, 'storage', 5],
  ['disk full, but succeeded', exited(0), { storageFull: true }, 'success', 0],
  ['disk full and blocked', exited(5), { storageFull: true, blocked: 1, failOnBlocked: true }, 'storage', 5],
  ['blocked, but that does not fail', exited(0), { blocked: 9 }, 'success', 0],
  ['blocked, and the command succeeded', exited(0), { blocked: 1, failOnBlocked: true }, 'blocked', 1],
  ['blocked, and the command failed', exited(7), { blocked: 1, failOnBlocked: true }, 'blocked', 7],
  ['nothing blocked', exited(0), { failOnBlocked: true }, 'success', 0],
])('%s', (_, outcome, circumstances, conclusion, exitCode) => {
  const none = { oomKills: 0, storageFull: false, blocked: 0, failOnBlocked: false };
  expect(decideConclusion(outcome, { ...none, ...circumstances })).toEqual({ conclusion, exitCode });
});
