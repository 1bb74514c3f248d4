import type { Conclusion } from './report.ts';

/** How the command's run ended, before limits and policy are looked at. */
export type Outcome =
  | { kind: 'exited'; exitCode: number }
  | { kind: 'timeout' }
  /** `why`: where it was no signal; the end of a sentence */
  | { kind: 'cancelled'; signal: 'SIGINT' | 'SIGTERM'; why?: string }
  /** `message`: one sentence, what was attempted and the remedy */
  | { kind: 'error'; message: string };

export type Circumstances = { oomKills: number; storageFull: boolean; blocked: number; failOnBlocked: boolean };

/**
 * The conclusion and the exit code of the run. 124 and 125 are those of timeout(1) and `docker run`; 128 + n is a shell's for
 * a command that signal n ended: 137 SIGKILL, 130 SIGINT, 143 SIGTERM (POSIX.1-2024, XCU 2.8.2).
 * A command that succeeds in spite of a killed child or a full disk has succeeded.
 */
export function decideConclusion(outcome: Outcome, circumstances: Circumstances): { conclusion: Conclusion; exitCode: number } {
  const { oomKills, storageFull, blocked, failOnBlocked } = circumstances;
  if (outcome.kind === 'error') return { conclusion: 'error', exitCode: 125 };
  if (outcome.kind === 'timeout') return { conclusion: 'timeout', exitCode: 124 };
  if (outcome.kind === 'cancelled') return { conclusion: 'cancelled', exitCode: outcome.signal === 'SIGINT' ? 130 : 143 };

  const exitCode = processExitCode(outcome.exitCode);
  if (exitCode !== 0 && oomKills > 0) return { conclusion: 'oom', exitCode: 137 };
  if (exitCode !== 0 && storageFull) return { conclusion: 'storage', exitCode };
  if (failOnBlocked && blocked > 0) return { conclusion: 'blocked', exitCode: exitCode || 1 };
  return { conclusion: exitCode === 0 ? 'success' : 'failure', exitCode };
}

/** A process can only exit with a byte; 256 would be cut to 0, and a failure would pass for a success. */
function processExitCode(exitCode: number): number {
  return Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255 ? exitCode : 1;
}
