import type { Changes } from './report.ts';

/** Whether the changes are in the workspace now; nothing where they were not to be. */
export function writtenClause({ written }: Changes): string {
  if (written === undefined) return '';
  return written ? '; written to the workspace' : '; not written to the workspace';
}
