import type { SnapshotRequest } from '../config.ts';
import { quote } from '../policy/quote.ts';
import type { SnapshotPlace } from '../snapshots/snapshot-place.ts';

export type SnapshotsContext = { from: string | undefined; to: string | undefined; image: string | undefined; place: SnapshotPlace | undefined };
export type ParsedSnapshots = { from: SnapshotRequest | null; to: string | null; problems: string[] };

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const PINNED = /^([^@]*)@(sha256:[0-9a-f]{64})$/;
const NAME_REMEDY = 'write a small letter or digit, then small letters, digits and `_.-`, at most 64 in all';

/** `snapshot-from: NAME` or `NAME@sha256:…`, and `snapshot-to: NAME`. */
export function parseSnapshots({ from, to, image, place }: SnapshotsContext): ParsedSnapshots {
  const problems: string[] = [];
  const hasImage = image !== undefined && image !== '' && image.trim() !== 'runner';
  const source = from ? parseSnapshotFrom(from) : null;
  const target = to ? parseSnapshotTo(to) : null;
  if (source?.ok === false) problems.push(`snapshot-from: ${source.problem}`);
  if (from && hasImage) problems.push(`snapshot-from: ${quote(from)} takes the place of an image, but image is ${quote(image)}: leave one of them out`);
  if (target?.ok === false) problems.push(`snapshot-to: ${target.problem}`);
  if (to && !hasImage && !from) problems.push(`snapshot-to: ${quote(to)} would be of the runner's own tools, which change without the snapshot: set \`image\`, such as \`debian:12\`, or \`snapshot-from\``);
  if ((from || to) && place?.directory == null) problems.push('snapshot-from, snapshot-to: where snapshots are recorded is not known: set HOME, or DECOY_SNAPSHOTS to an absolute path');
  if (to && place?.write === null) problems.push(`snapshot-to: ${quote(to)} may not be saved by ${place.event}, which could change what trusted runs start from: save it on \`push\`, \`schedule\` or \`workflow_dispatch\``);
  return { from: source?.ok ? source.value : null, to: to || null, problems };
}

type Result<T> = { ok: true; value: T } | { ok: false; problem: string };

export function parseSnapshotFrom(text: string): Result<SnapshotRequest> {
  const [, name = text, digest = null] = PINNED.exec(text) ?? [];
  if (NAME.test(name)) return { ok: true, value: { name, digest } };
  return { ok: false, problem: `${quote(text)} is not a snapshot: ${NAME_REMEDY}, and behind it \`@sha256:…\` where no other one will do` };
}

export function parseSnapshotTo(text: string): Result<string> {
  return NAME.test(text) ? { ok: true, value: text } : { ok: false, problem: `${quote(text)} is not a name: ${NAME_REMEDY}` };
}
