import { quote } from '../policy/quote.ts';
import { readable, type ChangedEntry } from './changed-entry.ts';

/**
 * What of the changes must not come into the workspace of a runner, a clause each: what leads out of it, and what git or GitHub would
 * execute there with the rights of the job. The keeper leaves out some of it already; it is judged here whatever the keeper did.
 */
export function judgeEntries(entries: readonly ChangedEntry[]): string[] {
  return entries.flatMap((entry) => faultOf(entry) ?? []);
}

/** What Decoy calls its own directory in the workspace begins so, while there is one. */
export const STAGE_PREFIX = '.decoy-changes-';

function faultOf(entry: ChangedEntry): string | null {
  const name = quote(readable(entry.path));
  const parts = entry.path.split('/');
  if (entry.path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) return `${name} is no path within the workspace`;
  if (parts.some(isGit)) return `${name} is git's own`;
  if (parts[0]!.startsWith(STAGE_PREFIX)) return `${name} has a name that Decoy takes for itself`;
  if (isWorkflow(entry)) return `${name} would run in workflows with the rights of their jobs`;
  if (entry.kind !== 'link') return null;
  const target = quote(entry.target.toString('utf8'));
  if (leadsOut(entry.target.toString('latin1'), parts.length - 1)) return `the symbolic link ${name} leads out of the workspace, to ${target}`;
  const into = entry.target.toString('latin1').split('/').find((part) => isGit(part) || part.toLowerCase() === '.github');
  return into === undefined ? null : `the symbolic link ${name} leads to what git or GitHub executes, ${target}`;
}

function isGit(part: string): boolean {
  return part.toLowerCase() === '.git';
}

/** Workflows, actions, and whatever stands in the place of a directory that holds them; at any depth, since a checkout may be anywhere in the workspace. */
function isWorkflow({ path, kind }: ChangedEntry): boolean {
  const lower = path.toLowerCase();
  if (/(^|\/)\.github\/(workflows|actions)\//.test(lower) || /(^|\/)action\.ya?ml$/.test(lower)) return true;
  return kind !== 'removed' && /(^|\/)\.github(\/(workflows|actions))?$/.test(lower);
}

/**
 * Only its first steps may climb, and no further than the workspace's top: `..` behind a name may climb from wherever that name leads, if
 * it is a link itself. `depth` is the number of directories the link is in.
 */
function leadsOut(target: string, depth: number): boolean {
  const parts = target.split('/');
  const down = parts.findIndex((part) => part !== '..' && part !== '.' && part !== '');
  const climbs = (down === -1 ? parts : parts.slice(0, down)).filter((part) => part === '..').length;
  return target.startsWith('/') || target === '' || climbs > depth || (down !== -1 && parts.slice(down).includes('..'));
}
