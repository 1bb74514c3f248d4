import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export type StepFiles = { report: string; auditLog: string; patch: string; state: string };

/** Where this use of the action keeps its files: a directory named by the first step, given to both as DECOY_DIRECTORY. */
export function stepFiles(environment: Readonly<Record<string, string | undefined>>): StepFiles {
  const directory = environment['DECOY_DIRECTORY'] || fs.mkdtempSync(path.join(environment['RUNNER_TEMP'] || os.tmpdir(), 'decoy-report-'));
  fs.mkdirSync(directory, { recursive: true });
  const file = (name: string) => path.join(directory, name);
  return { report: file('report.json'), auditLog: file('audit.jsonl'), patch: file('changes.patch'), state: file('state.json') };
}

export type StepState = { token: string | null };

export function writeStepState(file: string, state: StepState): void {
  fs.writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
}

export function readStepState(file: string): StepState {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as StepState;
  } catch {
    return { token: null };
  }
}
