/** One entry of the tree a disk starts with. `name` is relative, without a trailing slash; `mode` has permission bits only. */
export type TarEntry = { name: string; mode: number; uid: number; gid: number } & (
  | { type: 'file'; content: Buffer | string }
  | { type: 'directory' }
  | { type: 'symlink'; target: string }
  /** hides the entry of that name in an overlay's lower tree: a character device 0:0 (overlayfs.rst) */
  | { type: 'whiteout' }
);

/**
 * The entries as one tar archive, in memory and in the order given: a directory must come before what is in it.
 * The format is POSIX's pax interchange format (IEEE Std 1003.1, pax): ustar headers, each preceded by an extended one where a
 * name or number does not fit. Written here because every start waits for it: see docs/decisions/0005-start-up.md.
 */
export function packTree(entries: readonly TarEntry[]): Buffer {
  const modifiedSeconds = Math.floor(Date.now() / 1000);
  const parts = entries.flatMap(describeEntry);
  // Zeroed, and so is what no part fills; an archive ends with two zero blocks.
  const archive = Buffer.alloc(parts.reduce((sum, { content }) => sum + BLOCK_BYTES + padded(content.length), 2 * BLOCK_BYTES));
  let at = 0;
  for (const part of parts) {
    writeHeader(archive.subarray(at, at + BLOCK_BYTES), part, { modifiedSeconds });
    archive.set(part.content, at + BLOCK_BYTES);
    at += BLOCK_BYTES + padded(part.content.length);
  }
  return archive;
}

const BLOCK_BYTES = 512;
const FILE = 0x30;
const SYMLINK = 0x32;
const CHARACTER_DEVICE = 0x33;
const DIRECTORY = 0x35;
const EXTENDED_HEADER = 0x78;
/** Seven octal digits and a NUL. */
const LARGEST_ID = 0o7777777;
const LONGEST_NAME_BYTES = 100;

/** A header and what follows it. */
type Part = { name: string; mode: number; uid: number; gid: number; target: string; type: number; content: Buffer };

function describeEntry(entry: TarEntry): Part[] {
  const name = entry.type === 'directory' ? `${entry.name}/` : entry.name;
  const target = entry.type === 'symlink' ? entry.target : '';
  const content = entry.type !== 'file' ? EMPTY : typeof entry.content === 'string' ? Buffer.from(entry.content) : entry.content;
  const part = { name, mode: entry.mode, uid: entry.uid, gid: entry.gid, target, type: typeflag[entry.type], content };
  if (fits(name) && fits(target) && entry.uid <= LARGEST_ID && entry.gid <= LARGEST_ID) return [part];
  const records = [
    ...(fits(name) ? [] : [record('path', name)]),
    ...(fits(target) ? [] : [record('linkpath', target)]),
    ...(entry.uid <= LARGEST_ID ? [] : [record('uid', String(entry.uid))]),
    ...(entry.gid <= LARGEST_ID ? [] : [record('gid', String(entry.gid))]),
  ];
  return [{ name: 'extended', mode: 0o644, uid: 0, gid: 0, target: '', type: EXTENDED_HEADER, content: Buffer.concat(records) }, part];
}

const EMPTY = Buffer.alloc(0);
const typeflag = { file: FILE, directory: DIRECTORY, symlink: SYMLINK, whiteout: CHARACTER_DEVICE };

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= LONGEST_NAME_BYTES;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits too. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const digits = String(rest + String(rest).length).length;
  return Buffer.from(`${rest + digits} ${key}=${value}\n`);
}

/** `header` is zeroed. */
function writeHeader(header: Buffer, { name, mode, uid, gid, target, type, content }: Part, { modifiedSeconds }: { modifiedSeconds: number }): void {
  // What does not fit is in the extended header; a truncated name is only seen by readers that know none.
  const nameBytes = header.write(name, 0, LONGEST_NAME_BYTES);
  const numbers = `${octal(mode, 8)}${octal(Math.min(uid, LARGEST_ID), 8)}${octal(Math.min(gid, LARGEST_ID), 8)}${octal(content.length, 12)}${octal(modifiedSeconds, 12)}`;
  header.write(numbers, 100, 'latin1');
  header[156] = type;
  const targetBytes = target === '' ? 0 : header.write(target, 157, LONGEST_NAME_BYTES);
  header.set(CONSTANT_PART, 257);
  // While it is summed up the checksum itself counts as eight spaces. Everything else is zero.
  const sum = 8 * 0x20 + CONSTANT_SUM + type + sumOf(header, 0, nameBytes) + sumOf(header, 100, 148) + sumOf(header, 157, 157 + targetBytes);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** From byte 257 on: the format's name and version, no names of owner and group, no device. */
const CONSTANT_PART = Buffer.from(`ustar\x0000${'\0'.repeat(64)}${octal(0, 8)}${octal(0, 8)}`, 'latin1');
const CONSTANT_SUM = sumOf(CONSTANT_PART, 0, CONSTANT_PART.length);

function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`;
}

function sumOf(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at] as number;
  return sum;
}
