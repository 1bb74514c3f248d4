import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export type StepFiles = { report: string; page: string; auditLog: string; patch: string; serviceLog: string; state: string };

/**
 * Where this use of the action keeps its files: a directory that action.yml makes and names to every step as DECOY_DIRECTORY.
 * What is uploaded lies in its `report`; the state is for the steps alone.
 */
export function stepFiles(environment: Readonly<Record<string, string | undefined>>): StepFiles {
  const directory = environment['DECOY_DIRECTORY'] || fs.mkdtempSync(path.join(environment['RUNNER_TEMP'] || os.tmpdir(), 'decoy-'));
  const file = (name: string) => path.join(directory, 'report', name);
  fs.mkdirSync(path.join(directory, 'report'), { recursive: true });
  return { report: file('report.json'), page: file('report.html'), auditLog: file('audit.jsonl'), patch: file('changes.patch'), serviceLog: file('services.log'), state: path.join(directory, 'state.json') };
}

/** What the second step must know of the first. `token` lets the runner read workflow commands again. */
export type StepState = { token: string | null };

export function writeStepState(file: string, state: StepState): void {
  fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
}

export function readStepState(file: string): StepState {
  try {
    const { token } = JSON.parse(fs.readFileSync(file, 'utf8')) as { token?: unknown };
    return { token: typeof token === 'string' && /^decoy-[0-9a-f]{48}$/.test(token) ? token : null };
  } catch {
    return { token: null };
  }
}
