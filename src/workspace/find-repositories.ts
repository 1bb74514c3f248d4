import { quote } from '../policy/quote.ts';
import { parentsOf, readable, type ChangedEntry } from './changed-entry.ts';
import { kindOf, type Locate } from './plan-changes.ts';

/**
 * Directories on the way to a change that git would take for a repository afterwards, of which it needs no `.git`: HEAD and, there or where a
 * file called commondir leads, objects and refs (gitrepository-layout(5)). Their configuration names programs that git executes. A clause each.
 */
export async function findRepositories(entries: readonly ChangedEntry[], locate: Locate): Promise<string[]> {
  const made = new Set(entries.flatMap(({ kind, path }) => (kind === 'removed' ? [] : [...parentsOf(path), path])).map((path) => path.toLowerCase()));
  const has = async (directory: string, name: string) => made.has(`${directory}${name}`.toLowerCase()) || await kindOf(locate(`${directory}${name}`)) !== 'absent';
  const directories = new Set(['', ...entries.flatMap(({ path }) => parentsOf(path)).map((parent) => `${parent}/`)]);
  const found = await Promise.all([...directories].map(async (directory) => {
    if (!await has(directory, 'HEAD')) return [];
    return await has(directory, 'objects') || await has(directory, 'commondir') ? [`${quote(readable(directory === '' ? '.' : directory.slice(0, -1)))} is a repository to git, with or without \`.git\``] : [];
  }));
  return found.flat();
}
