import type { RunConfig } from '../config.ts';
import type { Report } from '../report/report.ts';
import type { ChangedEntry } from './changed-entry.ts';
import { writeChanges } from './write-changes.ts';

export type Placed =
  | { kind: 'written' }
  /** the command did not end by itself, or a cap or a rule was in its way */
  | { kind: 'left' }
  /** `problem`: one sentence, with the remedy */
  | { kind: 'refused'; problem: string };

/** With `workspace: write`, writes the command's changes to the workspace; undefined for any other. */
export async function writeBack(report: Report, { workspace, entries }: { workspace: RunConfig['workspace']; entries: readonly ChangedEntry[] }): Promise<Placed | undefined> {
  if (workspace.mode !== 'write') return undefined;
  if (report.conclusion !== 'success' && report.conclusion !== 'failure') return { kind: 'left' };
  if (report.changes.problem !== undefined) return { kind: 'refused', problem: `nothing was written to the workspace. ${report.changes.problem}` };
  const written = await writeChanges(entries, { workspacePath: workspace.path });
  return written.ok ? { kind: 'written' } : { kind: 'refused', problem: written.problem };
}
