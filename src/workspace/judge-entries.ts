import { quote } from '../policy/quote.ts';
import { parentsOf, readable, type ChangedEntry } from './changed-entry.ts';

/**
 * What of the changes must not come into the workspace of a runner, a clause each: what leads out of it, and what git or GitHub would
 * execute there with the rights of the job. The keeper leaves out some of it already; it is judged here whatever the keeper did.
 */
export function judgeEntries(entries: readonly ChangedEntry[]): string[] {
  return [...entries.flatMap((entry) => faultOf(entry) ?? []), ...bareRepositories(entries)];
}

function faultOf(entry: ChangedEntry): string | null {
  const name = quote(readable(entry.path));
  const parts = entry.path.split('/');
  if (entry.path.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) return `${name} is no path within the workspace`;
  if (parts.some((part) => part.toLowerCase() === '.git')) return `${name} is git's own`;
  if (isWorkflow(entry)) return `${name} would run in workflows with the rights of their jobs`;
  if (entry.kind === 'link' && leadsOut(entry.target.toString('latin1'), parts.length - 1)) return `the symbolic link ${name} leads out of the workspace, to ${quote(entry.target.toString('utf8'))}`;
  return null;
}

/** Workflows, actions, and whatever stands in the place of a directory that holds them. */
function isWorkflow({ path, kind }: ChangedEntry): boolean {
  const lower = path.toLowerCase();
  if (/^\.github\/(workflows|actions)\//.test(lower) || /(^|\/)action\.ya?ml$/.test(lower)) return true;
  return kind !== 'removed' && ['.github', '.github/workflows', '.github/actions'].includes(lower);
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

/** A directory that git takes for a repository, whose configuration names programs to run, needs no `.git`: HEAD, objects and refs are enough (gitrepository-layout(5)). */
function bareRepositories(entries: readonly ChangedEntry[]): string[] {
  const kept = entries.flatMap(({ kind, path }) => (kind === 'removed' ? [] : [path]));
  const there = new Set(kept.flatMap((path) => [...parentsOf(path), path]).map((path) => path.toLowerCase()));
  return kept.filter((path) => /(^|\/)head$/i.test(path)).flatMap((head) => {
    const parent = head.slice(0, -'head'.length).toLowerCase();
    return there.has(`${parent}objects`) || there.has(`${parent}refs`) ? [`${quote(readable(head))} makes its directory a repository to git`] : [];
  });
}
