import fs from 'node:fs';
import { quote } from '../policy/quote.ts';
import type { ExposedTree, RootLayout } from '../sandbox/exposed-trees.ts';
import type { VolumeRequest } from '../sandbox/named-volumes.ts';
import { findWhereSeen } from './find-where-seen.ts';
import { parseSize } from './parse-size.ts';
import { realPath } from './real-path.ts';

export type VolumesContext = {
  /** where the user's volumes are, or null where that is not known */
  directory: string | null;
  /** the workspace's real path, or null where the sandbox gets none */
  workspacePath: string | null;
  /** what of the runner's the sandbox sees, or null with an image */
  layout: RootLayout | null;
};

/** 64 is far below what a file's name may have (NAME_MAX). */
const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
/** Docker writes a mount's place between colons and commas. */
const PATH = /^(?:\/[\w.@+~-]+)+$/;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const MOST_VOLUMES = 16;

/** The sandbox's own, Decoy's or the kernel's: nothing of these, and nothing in them. */
const CLOSED = ['/proc', '/sys', '/dev', '/run', '/etc', '/boot', '/decoy', '/decoy-guest', '/var/run', '/var/lock'];
/** Below them is fine; a volume in their place would hide what programs need. */
const KEPT = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt', '/var', '/var/lib', '/home', '/home/runner', '/root', '/tmp'];

/** Reads `name:/path[:size][:ro]` lines; all problems at once. */
export function parseVolumes(lines: readonly string[], context: VolumesContext): { volumes: VolumeRequest[]; problems: string[] } {
  const volumes: VolumeRequest[] = [];
  const problems: string[] = [];
  for (const line of lines.map((text) => text.trim()).filter((text) => text !== '' && !text.startsWith('#'))) {
    const parsed = parseVolume(line, context);
    if (parsed.ok) volumes.push(parsed.value);
    else problems.push(`volumes: ${parsed.problem}`);
  }
  const clash = volumes.find((volume, index) => volumes.slice(0, index).some(({ name, path }) => name === volume.name || overlap(path, volume.path)));
  if (clash !== undefined) problems.push(`volumes: ${quote(`${clash.name}:${clash.path}`)} has the name of another, or lies at, in or around another's path: give each a name and a path of its own`);
  if (volumes.length > MOST_VOLUMES) problems.push(`volumes: ${volumes.length} are too many: give at most ${MOST_VOLUMES}`);
  if (volumes.length > 0) problems.push(...directoryProblems(context));
  // Everybody locks in the same order, so that two runs do not wait for each other.
  return { volumes: volumes.sort((a, b) => (a.name < b.name ? -1 : 1)), problems };
}

type Result = { ok: true; value: VolumeRequest } | { ok: false; problem: string };

function parseVolume(line: string, context: VolumesContext): Result {
  const fault = (what: string): Result => ({ ok: false, problem: `${quote(line)} ${what}` });
  const [name = '', path = '', ...rest] = line.split(':');
  const readOnly = rest.at(-1) === 'ro';
  const [sizeText, more] = readOnly ? rest.slice(0, -1) : rest;
  if (path === '' || more !== undefined) return fault('is not a volume: write `name:/path`, or `name:/path:2g`, each with `:ro` at the end where it shall not be written');
  if (!NAME.test(name)) return fault(`has the name ${quote(name)}: write a small letter or digit, then small letters, digits and \`_.-\`, at most 64 in all`);
  if (!PATH.test(path) || /\/\.{1,2}(\/|$)/.test(path)) return fault(`has the path ${quote(path)}: write an absolute one of letters, digits and \`_.@+~-\`, without \`.\`, \`..\` or a slash at the end`);
  const problem = placeProblem(path, context);
  if (problem !== null) return fault(problem);
  if (sizeText === undefined) return { ok: true, value: { name, path, sizeBytes: null, readOnly } };
  const size = parseSize(sizeText, { minBytes: 32 * MIB, maxBytes: 1024 * GIB });
  if (!size.ok) return { ok: false, problem: `${quote(line)}: ${size.problem}` };
  return { ok: true, value: { name, path, sizeBytes: size.value, readOnly } };
}

/** Why there cannot be a volume at this path, or null. */
function placeProblem(path: string, { workspacePath, layout }: VolumesContext): string | null {
  const closed = CLOSED.find((directory) => overlap(path, directory));
  if (closed !== undefined) return `would cover ${quote(closed)}, which is the sandbox's own: choose another path, such as \`/cache\``;
  if (KEPT.includes(path)) return `would hide what is in ${quote(path)}: choose a path below it, or another, such as \`/cache\``;
  if (workspacePath !== null && overlap(path, workspacePath)) return `lies at, in or around the workspace ${quote(workspacePath)}, whose changes come out as a patch: choose another path, such as \`/cache\``;
  if (layout === null) return null;
  const covered = layout.trees.find((tree) => within(tree.path, path));
  if (covered !== undefined) return `would hide the runner's ${quote(covered.path)}: choose a path below it, or another, such as \`/cache\``;
  const link = findLink(path, layout);
  return link === null ? null : `leads through ${quote(link)}, which is no directory of the runner's: choose a path without links`;
}

/** The runtime follows links when it mounts, and so would end up elsewhere. */
function findLink(path: string, { trees, links }: RootLayout): string | null {
  const [top = ''] = path.slice(1).split('/');
  if (links.some(({ name }) => name === top)) return `/${top}`;
  const tree = trees.find((candidate: ExposedTree) => within(path, candidate.path));
  if (tree === undefined) return null;
  let at = tree.path;
  for (const part of path.slice(tree.path.length + 1).split('/')) {
    at = `${at}/${part}`;
    const stats = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stats === undefined) return null;
    if (!stats.isDirectory()) return at;
  }
  return null;
}

/** A volume's file is mounted by the kernel: a sandbox must not get at it but through that mount. */
function directoryProblems({ directory, workspacePath, layout }: VolumesContext): string[] {
  if (directory === null) return ['volumes: where they are kept is not known: set HOME, or DECOY_VOLUMES to an absolute path'];
  const real = realPath(directory);
  const seen = findWhereSeen(real, { trees: layout?.trees ?? [], workspacePath });
  if (seen === null && (workspacePath === null || !within(workspacePath, real))) return [];
  return [`volumes: the sandbox could reach ${quote(directory)}, where they are kept, by way of ${quote(seen ?? workspacePath as string)}: set DECOY_VOLUMES to a directory outside`];
}

function within(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`);
}

function overlap(one: string, other: string): boolean {
  return within(one, other) || within(other, one);
}
