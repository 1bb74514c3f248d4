/** Events that only people with write access to the repository bring about, or the clock: what they run on is the repository's own. */
const TRUSTED: ReadonlySet<string> = new Set(['push', 'schedule', 'workflow_dispatch', 'merge_group', 'release']);

/** Events that GitHub runs on a pull request's own ref, whose caches no other ref can read. */
const OF_A_PULL_REQUEST: ReadonlySet<string> = new Set(['pull_request', 'pull_request_review', 'pull_request_review_comment']);

/**
 * Whether a run on GitHub may leave its volumes for later runs. A cache that is saved can be read by every run on the same ref, and where
 * that is the default branch, by all there are. So no event may save there that somebody without write access can bring about, or that
 * is used to run code of theirs: `pull_request_target`, `issue_comment`, `workflow_run` and `repository_dispatch` above all, and a
 * `pull_request` that was merged, which has its base branch's ref. Anything that is not known may not either.
 * Source: docs.github.com, Dependency caching reference (Restrictions for accessing a cache), Events that trigger workflows.
 */
export function mayBeSaved({ event, ref }: { event: string; ref: string }): boolean {
  if (OF_A_PULL_REQUEST.has(event)) return /^refs\/pull\/\d+\/merge$/.test(ref);
  return TRUSTED.has(event) && /^refs\/(heads|tags)\/./.test(ref);
}
