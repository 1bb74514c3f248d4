import { printableSentence } from '../report/printable.ts';
import type { Bounded, FileChange } from './page-data.ts';

const MAX_FILES = 2_000;
const MAX_PATH = 300;

/**
 * The files of a patch as git writes it, with their lines counted. What stands in a hunk is counted off by its heading, so that no line of
 * a file's can pass for a heading of the patch (git-diff(1), "Generating patch text").
 */
export function readPatchFiles(patch: Buffer): Bounded<FileChange> {
  const items: FileChange[] = [];
  let leftOut = 0;
  let file: FileChange | null = null;
  let left = { old: 0, new: 0 };
  for (const line of linesOf(patch)) {
    const mark = line[0];
    if (left.old > 0 || left.new > 0) {
      if (mark !== '+' && mark !== '\\') left.old--;
      if (mark !== '-' && mark !== '\\') left.new--;
      if (file !== null && mark === '+') file.insertions++;
      if (file !== null && mark === '-') file.deletions++;
      continue;
    }
    if (line.startsWith('diff --git ')) {
      file = { path: printableSentence(headingPath(line), MAX_PATH), kind: 'modified', insertions: 0, deletions: 0, binary: false };
      if (items.length < MAX_FILES) items.push(file);
      else leftOut++;
    } else if (file !== null) {
      const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
      if (hunk !== null) left = { old: Number(hunk[1] ?? 1), new: Number(hunk[2] ?? 1) };
      else readHeading(line, file);
    }
  }
  return { items, leftOut };
}

function readHeading(line: string, file: FileChange): void {
  const [, side, name] = /^(--- |\+\+\+ |rename to )(.*)$/s.exec(line) ?? [];
  if (name !== undefined && name !== '/dev/null') {
    const path = unquoted(name.replace(/\t$/, ''));
    file.path = printableSentence(side === 'rename to ' ? path : path.replace(/^[ab]\//, ''), MAX_PATH);
  }
  if (line.startsWith('new file mode')) file.kind = 'added';
  if (line.startsWith('deleted file mode')) file.kind = 'deleted';
  if (line.startsWith('rename to')) file.kind = 'renamed';
  if (line.startsWith('GIT binary patch') || line.startsWith('Binary files ')) file.binary = true;
}

/** Both names are the same but for a rename, which has lines of its own: `a/NAME b/NAME`. */
function headingPath(line: string): string {
  const names = line.slice('diff --git '.length);
  const half = names.slice(0, (names.length - 1) / 2);
  return unquoted(half).replace(/^a\//, '');
}

/** Git's way to write a name with unusual bytes: in double quotes, escaped as in C, bytes as three octal digits. */
function unquoted(name: string): string {
  if (!/^".*"$/s.test(name)) return name;
  const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
  const latin1 = Buffer.from(name.slice(1, -1)).toString('latin1')
    .replace(/\\(?:([0-7]{3})|(.))/gs, (_, octal: string | undefined, letter: string) => (octal === undefined ? letters[letter] ?? letter : String.fromCharCode(parseInt(octal, 8) & 0xff)));
  return Buffer.from(latin1, 'latin1').toString();
}

/** One after the other, for a patch may be 100 MB; only the beginning of a line matters. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end;
    yield bytes.toString('utf8', start, Math.min(stop, start + 8_192));
    start = stop + 1;
  }
}
