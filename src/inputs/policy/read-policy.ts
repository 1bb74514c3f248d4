import fs from 'node:fs';
import path from 'node:path';
import { quote } from '../../policy/quote.ts';
import { readCommittedFile } from './committed-file.ts';
import { describeDifference } from './describe-difference.ts';
import { MAX_POLICY_BYTES, parsePolicy, type PolicyFile } from './parse-policy.ts';
import { findTrustedCommit } from './trusted-commit.ts';

export type ReadPolicy = PolicyFile & { text: string; warnings: string[]; problems: string[] };

export type PolicyContext = {
  /** what a relative path starts from; null: it is gone */
  workspacePath: string | null;
  environment: Readonly<Record<string, string | undefined>>;
};

/**
 * Reads the policy that `policy` names: a path, and behind a `#` the profile. Where what is checked out may be what nobody has reviewed, it is that of the base commit,
 * and a difference is only warned of. With a problem nothing of it may be used but to tell what else is wrong.
 */
export function readPolicy(given: string, { workspacePath, environment }: PolicyContext): ReadPolicy {
  const { file, profile } = splitProfile(given.trim());
  const fail = (problem: string): ReadPolicy => ({ ...nothing(), problems: [`policy: ${problem}`] });
  if (file === '') return fail(`${quote(given)} names no file: write a path such as \`.github/decoy.yml\`, with a profile as \`.github/decoy.yml#ci\``);
  if (workspacePath === null && !path.isAbsolute(file)) return fail(`${quote(file)} cannot be looked for, as the current directory does not exist any more: change to one that does`);
  const source = findTrustedCommit(environment);
  if (!source.ok) return fail(source.problem);
  const full = path.resolve(workspacePath ?? '/', file);
  const read = source.value.kind === 'tree' ? readTree(full, file) : readBase(full, { file, commit: source.value.commit, environment });
  if (!read.ok) return fail(read.problem);
  const parsed = parsePolicy(read.bytes, { file, profile });
  return { ...parsed.value, text: read.bytes.toString('utf8'), warnings: read.warnings, problems: parsed.ok ? [] : parsed.problems };
}

function nothing(): Omit<ReadPolicy, 'problems'> {
  return { inputs: {}, bindings: new Map(), origins: [], text: '', warnings: [] };
}

function splitProfile(given: string): { file: string; profile: string | null } {
  const hash = given.lastIndexOf('#');
  return hash < 0 ? { file: given, profile: null } : { file: given.slice(0, hash), profile: given.slice(hash + 1) };
}

type Bytes = { ok: true; bytes: Buffer; warnings: string[] } | { ok: false; problem: string };

function readTree(full: string, file: string): Bytes {
  try {
    const descriptor = fs.openSync(full, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    try {
      const stats = fs.fstatSync(descriptor);
      if (!stats.isFile()) return { ok: false, problem: `${quote(file)} is not a file: write the path of a YAML file` };
      if (stats.size > MAX_POLICY_BYTES) return { ok: true, bytes: Buffer.alloc(stats.size > MAX_POLICY_BYTES ? MAX_POLICY_BYTES + 1 : 0), warnings: [] };
      return { ok: true, bytes: fs.readFileSync(descriptor), warnings: [] };
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    return { ok: false, problem: `cannot read ${quote(file)} (${(error as NodeJS.ErrnoException).code}): write the path of a file in the workspace, such as \`.github/decoy.yml\`` };
  }
}

function readBase(full: string, { file, commit, environment }: { file: string; commit: string; environment: PolicyContext['environment'] }): Bytes {
  const short = commit.slice(0, 12);
  const repository = findRepository(full);
  if (repository === null) return { ok: false, problem: `${quote(file)} lies in no git repository, so that the commit ${short} cannot be asked for it: check the repository out before with actions/checkout, and name a file of it` };
  const segments = path.relative(repository, full).split(path.sep);
  const read = readCommittedFile({ repository, commit, segments, maxBytes: MAX_POLICY_BYTES, searchPath: environment['PATH'] ?? '' });
  switch (read.kind) {
    case 'file': return { ok: true, bytes: read.bytes, warnings: differenceWarnings(read.bytes, { full, file, short, repository }) };
    case 'too-large': return { ok: true, bytes: Buffer.alloc(MAX_POLICY_BYTES + 1), warnings: [] };
    case 'no-commit': return {
      ok: false,
      problem: `the commit ${commit}, whose ${quote(file)} holds for this event, is not in the clone: write \`with: { fetch-depth: 0 }\` below \`uses: actions/checkout\`, or add the step \`run: git fetch --depth=1 origin ${commit}\` behind it`,
    };
    case 'no-file': return { ok: false, problem: `${quote(file)} is not in the commit ${short}, whose policy holds for this event: merge it first, or leave \`policy\` out until then` };
    case 'refused': return { ok: false, problem: `${quote(file)} cannot be taken from the commit ${short}: ${read.problem}; check the repository out whole with actions/checkout, and name a plain file of it` };
  }
}

/**
 * The nearest directory above with a `.git`. Not one that a link of the repository around it leads to: with `.github` as a link to `.`, a pull request would have
 * another file of that name obeyed, that of the root.
 */
function findRepository(full: string): string | null {
  const found: string[] = [];
  for (let directory = path.dirname(full); ; directory = path.dirname(directory)) {
    if (fs.lstatSync(path.join(directory, '.git'), { throwIfNoEntry: false }) !== undefined) found.push(directory);
    if (directory === path.dirname(directory)) break;
  }
  return found.find((inner, index) => found.slice(index + 1).every((outer) => isReachedWithoutLink(inner, outer))) ?? null;
}

function isReachedWithoutLink(inner: string, outer: string): boolean {
  return fs.realpathSync(inner) === path.join(fs.realpathSync(outer), path.relative(outer, inner));
}

function differenceWarnings(trusted: Buffer, { full, file, short, repository }: { full: string; file: string; short: string; repository: string }): string[] {
  const holds = `the one of the commit ${short} holds`;
  // Not through a link, which could lead to a file that is nobody's business.
  const isPlain = (() => {
    try {
      return fs.realpathSync(full) === path.join(fs.realpathSync(repository), path.relative(repository, full)) && fs.lstatSync(full).isFile();
    } catch {
      return false;
    }
  })();
  if (!isPlain) return [`policy: ${quote(file)} is no plain file any more in what is checked out; ${holds}`];
  const other = readTree(full, file);
  if (!other.ok) return [`policy: ${quote(file)} cannot be read in what is checked out; ${holds}`];
  const difference = describeDifference(trusted.toString('utf8'), other.bytes.length > MAX_POLICY_BYTES ? '' : other.bytes.toString('utf8'));
  return difference === null ? [] : [`policy: ${quote(file)} is changed in what is checked out, which is not obeyed; ${holds}. The change ${difference}`];
}
