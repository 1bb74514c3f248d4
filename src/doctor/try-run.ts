import os from 'node:os';
import type { Host, RunConfig } from '../config.ts';
import { renderBytes, renderSeconds } from '../report/quantities.ts';
import type { Report } from '../report/report.ts';
import { run } from '../run.ts';
import type { Finding } from './finding.ts';

/** Small, so that it goes on any machine that has the controllers. */
const CAPS = { wallSeconds: 60, memoryBytes: 128 * 2 ** 20, storageBytes: 64 * 2 ** 20, pids: 64 };

/**
 * A run as any other, of `true`, in the engine's default runtime or in another, with no secret and no rule: whatever of engine, kernel and file systems does not do what a run needs ends it.
 * Takes about a second.
 */
export async function tryRun(host: Host, { signal, runtime = 'runc' }: { signal: AbortSignal; runtime?: string }): Promise<Finding> {
  const startedMs = performance.now();
  const warnings: string[] = [];
  const { report } = await run({
    config: { ...trialConfig(), runtime }, host, signal,
    events: { onOutput: async () => {}, onEntry() {}, onStage() {}, onWarning: (text) => void warnings.push(text) },
  });
  return judgeTrial(report, { tookSeconds: (performance.now() - startedMs) / 1000, warnings });
}

export function judgeTrial(report: Report, { tookSeconds, warnings }: { tookSeconds: number; warnings: readonly string[] }): Finding {
  if (report.conclusion !== 'success') {
    return { check: 'trial', status: 'failed', detail: `a run of \`true\` ended with ${report.conclusion}: ${report.error ?? `exit code ${report.exitCode}`}` };
  }
  const detail = `\`true\` ran in the capped container in ${renderSeconds(tookSeconds)}, with a disk of ${renderBytes(CAPS.storageBytes)}, and the start-up canary held`;
  if (report.usage.memoryPeakBytes === 0) return { check: 'trial', status: 'limited', detail: `${detail}, but its memory and CPU time could not be read`, remedy: 'let Decoy read /sys/fs/cgroup' };
  return warnings.length === 0 ? { check: 'trial', status: 'ok', detail } : { check: 'trial', status: 'limited', detail: `${detail}; ${warnings.join('; ')}` };
}

function trialConfig(): RunConfig {
  return {
    command: { kind: 'argv', argv: ['true'] }, image: 'runner', rules: [], secrets: [], foreignCredentials: 'allow', resolve: [], env: {},
    limits: { ...CAPS, cpus: Math.min(1, os.cpus().length) },
    workspace: { mode: 'none', path: '/' }, workingDirectory: null, user: 'runner', failOnBlocked: false,
  };
}
