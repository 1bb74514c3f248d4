import fs from 'node:fs';
import path from 'node:path';
import { quote } from './policy/quote.ts';

/** Paths as given; the script and the services are only read, and must not be overwritten. */
export type ResultFiles = Readonly<Partial<Record<'script' | 'services' | Result, string | undefined>>>;

type Result = 'report' | 'audit-log' | 'patch' | 'html' | 'service-log';
const RESULTS: readonly Result[] = ['report', 'audit-log', 'patch', 'html', 'service-log'];

/**
 * Proves before anything starts that the results can be written, by emptying their files: what an earlier run left there would look
 * like this run's.
 * @returns the report's path only where it can be written
 */
export function openResultFiles(files: ResultFiles): { report: string | undefined; problems: string[] } {
  const problems: string[] = [];
  const given = (['script', 'services', ...RESULTS] as const).flatMap((option) => {
    const file = files[option];
    return file === undefined ? [] : [{ option, file, id: fileIdentity(file) }];
  });
  let report: string | undefined;
  for (const [index, { option, file, id }] of given.entries()) {
    if (option === 'script' || option === 'services') continue;
    const owner = given.slice(0, index).find((earlier) => id !== null && earlier.id === id);
    const problem = owner === undefined ? emptyProblem(file) : `${quote(file)} is also the file of \`--${owner.option}\`: give each a file of its own`;
    if (problem !== null) problems.push(`--${option}: ${problem}`);
    else if (option === 'report') report = file;
  }
  return { report, problems };
}

/** Nothing, or the problem: of several results each is tried. */
export function writeResultFile(option: Result, { file, content }: { file: string | undefined; content: string | Uint8Array }): string[] {
  try {
    if (file !== undefined) fs.writeFileSync(file, content);
    return [];
  } catch (error) {
    return [`--${option}: ${writeProblem(file!, error)}`];
  }
}

/** Empties a file, or makes it; null where that went well. */
function emptyProblem(file: string): string | null {
  if (file === '') return '`` is not a path: write that of a file, or leave the option out';
  try {
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return `${quote(file)} is a directory: write the path of a file in it, such as ${quote(path.join(file, 'FILE'))}`;
    // A pipe or a terminal has nothing to empty, and opening it once too often would end or block its reader.
    if (stats === undefined || stats.isFile()) fs.closeSync(fs.openSync(file, 'w', 0o644));
    else fs.accessSync(file, fs.constants.W_OK);
    return null;
  } catch (error) {
    return writeProblem(file, error);
  }
}

/** One sentence on a file that could not be written. */
export function writeProblem(file: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const remedy = code === 'ENOENT' && path.dirname(file) === '.' ? 'change to a directory that exists, or write an absolute path'
    : code === 'ENOENT' ? `make the directory ${quote(path.dirname(file))} first, or write another path`
    : code === 'ENOSPC' || code === 'EDQUOT' ? 'make room on that disk, or write a path on another'
      : 'write the path of a file that this user may write';
  return `cannot write ${quote(file)} (${code}): ${remedy}`;
}

/** The same for two paths of one file; null for what may be given twice, as `/dev/null` is. */
export function fileIdentity(file: string): string | null {
  try {
    const stats = fs.statSync(file, { throwIfNoEntry: false });
    if (stats !== undefined) return stats.isFile() ? `${stats.dev}:${stats.ino}` : null;
    return path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
  } catch {
    return file;
  }
}
