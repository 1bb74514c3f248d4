import type { RunConfig } from '../config.ts';
import { quote } from '../policy/quote.ts';
import type { Report } from '../report/report.ts';
import type { ChangedEntry } from './changed-entry.ts';
import { writeChanges } from './write-changes.ts';

export type Placed =
  | { kind: 'written' }
  /** the command did not end by itself, or a cap or a rule was in its way */
  | { kind: 'left' }
  /** `problem`: one sentence, with the remedy */
  | { kind: 'refused'; problem: string };

type Changed = { workspace: RunConfig['workspace']; entries: readonly ChangedEntry[]; unwritable: { path: string; reason: string } | undefined };

/** With `workspace: write`, writes the command's changes to the workspace, all or none; undefined for any other. */
export async function writeBack(report: Report, { workspace, entries, unwritable }: Changed): Promise<Placed | undefined> {
  if (workspace.mode !== 'write') return undefined;
  if (report.conclusion !== 'success' && report.conclusion !== 'failure') return { kind: 'left' };
  if (report.changes.problem !== undefined) return { kind: 'refused', problem: `nothing was written to the workspace. ${report.changes.problem}` };
  if (unwritable !== undefined) {
    const problem = `nothing was written to the workspace: ${quote(unwritable.path)} has no room, ${unwritable.reason}. Name in .gitignore what is built or downloaded`;
    return { kind: 'refused', problem };
  }
  const written = await writeChanges(entries, { workspacePath: workspace.path });
  return written.ok ? { kind: 'written' } : { kind: 'refused', problem: written.problem };
}
