import { mayBeSaved } from '../volumes/may-be-saved.ts';
import { userDirectory } from '../volumes/user-directory.ts';

/** Snapshots of one scope know nothing of those of another: a repository's ref on GitHub, or the user's own on the command line. */
export type SnapshotPlace = {
  /** where they are recorded, or null where the environment does not tell */
  directory: string | null;
  /** scopes a name is looked up in, in this order */
  read: readonly string[];
  /** the scope a snapshot is saved in, or null where this run may not save any; `event` is for the message then */
  write: string | null;
  event: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A machine that serves many jobs keeps its engine, so snapshots are kept apart as GitHub keeps caches apart: a run reads those of its own
 * repository and ref, and a pull request's those of its base branch, too. It saves where a cache could be saved (mayBeSaved).
 */
export function snapshotPlace(environment: Environment): SnapshotPlace {
  const take = (name: string) => environment[name] ?? '';
  const directory = userDirectory('snapshots', environment);
  if (take('GITHUB_ACTIONS') !== 'true') return { directory, read: ['local'], write: 'local', event: '' };
  const [event, ref, base] = [take('GITHUB_EVENT_NAME'), take('GITHUB_REF'), take('GITHUB_BASE_REF')];
  const own = scopeOf(take('GITHUB_REPOSITORY'), ref);
  const isOfPullRequest = /^refs\/pull\/\d+\/merge$/.test(ref);
  return {
    directory,
    read: [own, ...(isOfPullRequest && base !== '' ? [scopeOf(take('GITHUB_REPOSITORY'), `refs/heads/${base}`)] : [])],
    write: mayBeSaved({ event, ref }) ? own : null,
    event: `${event || 'this event'} on ${ref || 'no ref'}`,
  };
}

function scopeOf(repository: string, ref: string): string {
  return `github ${repository} ${ref}`;
}
