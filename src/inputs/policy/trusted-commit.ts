import fs from 'node:fs';
import { quote } from '../../policy/quote.ts';

/** Where a policy may be read: from the working tree, or only from a commit. */
export type PolicySource = { kind: 'tree' } | { kind: 'commit'; commit: string };

type Environment = Readonly<Record<string, string | undefined>>;
type Result = { ok: true; value: PolicySource } | { ok: false; problem: string };

/**
 * Events whose workflow comes from the very commit that is checked out, so that whoever wrote the one could write the other. Not `repository_dispatch` and
 * `workflow_dispatch`: bots and people use them to run a pull request on demand, with another branch's workflow.
 */
const OF_ONE_COMMIT: ReadonlySet<string> = new Set(['push', 'schedule', 'create', 'release']);

/**
 * Which commit's policy holds. On events of a pull request or a merge queue it is the base commit, that which the changes are to be merged into, of the event's payload. On all
 * others but those of one commit (`issue_comment`, `workflow_run`, `workflow_dispatch`, `repository_dispatch`, and what GitHub may add) it is the workflow's own, since they often check out what nobody has
 * reviewed. Where there is no event, as on a developer's machine, it is the working tree. Fails closed: an event without such a commit is a problem.
 */
export function findTrustedCommit(environment: Environment): Result {
  const event = environment['GITHUB_EVENT_NAME'] ?? '';
  if (event === '') {
    if (environment['GITHUB_ACTIONS'] !== 'true') return { ok: true, value: { kind: 'tree' } };
    return { ok: false, problem: 'it is not known which event this workflow runs for, as GITHUB_EVENT_NAME is not set: pass it on, or leave `policy` out' };
  }
  if (OF_ONE_COMMIT.has(event)) return { ok: true, value: { kind: 'tree' } };
  if (!/^(?:pull_request|merge_group)/.test(event)) return commitOf(environment['GITHUB_SHA'], { event, where: 'GITHUB_SHA' });
  const payload = readPayload(environment['GITHUB_EVENT_PATH']);
  if (payload === null) return { ok: false, problem: `the payload of the event ${quote(event)} cannot be read, so that its base commit is not known: GITHUB_EVENT_PATH must name it` };
  return event.startsWith('merge_group') ? commitOf(at(payload, 'merge_group', 'base_sha'), { event, where: 'merge_group.base_sha' }) : commitOf(at(payload, 'pull_request', 'base', 'sha'), { event, where: 'pull_request.base.sha' });
}

/** A name, 40 digits of SHA-1 or 64 of SHA-256: nothing git could take for an option or a branch. */
function commitOf(text: unknown, { event, where }: { event: string; where: string }): Result {
  if (typeof text === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return { ok: true, value: { kind: 'commit', commit: text } };
  return { ok: false, problem: `the event ${quote(event)} names no commit whose policy is to be trusted (${quote(where)}): leave \`policy\` out there, or give what it says as inputs` };
}

function readPayload(file: string | undefined): unknown {
  try {
    return file ? JSON.parse(fs.readFileSync(file, 'utf8')) : null;
  } catch {
    return null;
  }
}

function at(value: unknown, ...keys: string[]): unknown {
  return keys.reduce((inner, key) => (typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? (inner as Record<string, unknown>)[key] : undefined), value);
}
