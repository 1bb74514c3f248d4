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
  const blocks = entries.flatMap(encodeEntry);
  // An archive ends with two zero blocks.
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
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

function encodeEntry(entry: TarEntry): Buffer[] {
  const name = entry.type === 'directory' ? `${entry.name}/` : entry.name;
  const target = entry.type === 'symlink' ? entry.target : '';
  const content = entry.type === 'file' ? Buffer.from(entry.content as Buffer) : EMPTY;
  const records = [
    ...(fits(name) ? [] : [record('path', name)]),
    ...(fits(target) ? [] : [record('linkpath', target)]),
    ...(entry.uid <= LARGEST_ID ? [] : [record('uid', String(entry.uid))]),
    ...(entry.gid <= LARGEST_ID ? [] : [record('gid', String(entry.gid))]),
  ];
  const extended = records.length === 0 ? [] : withHeader(Buffer.concat(records), { name: 'extended', mode: 0o644, uid: 0, gid: 0, target: '', type: EXTENDED_HEADER });
  return [...extended, ...withHeader(content, { name, mode: entry.mode, uid: entry.uid, gid: entry.gid, target, type: typeflag[entry.type] })];
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

type Header = { name: string; mode: number; uid: number; gid: number; target: string; type: number };

function withHeader(content: Buffer, { name, mode, uid, gid, target, type }: Header): Buffer[] {
  const header = Buffer.alloc(BLOCK_BYTES);
  // What does not fit is in the extended header; a truncated name is only seen by readers that know none.
  const nameBytes = header.write(name, 0, LONGEST_NAME_BYTES);
  const numbers = `${octal(mode, 8)}${octal(Math.min(uid, LARGEST_ID), 8)}${octal(Math.min(gid, LARGEST_ID), 8)}${octal(content.length, 12)}${octal(Math.floor(Date.now() / 1000), 12)}`;
  header.write(numbers, 100, 'latin1');
  header[156] = type;
  const targetBytes = header.write(target, 157, LONGEST_NAME_BYTES);
  header.write(VERSION, 257, 'latin1');
  header.write(NO_DEVICE, 329, 'latin1');
  // While it is summed up the checksum itself counts as eight spaces. Everything else is zero.
  const sum = 8 * 0x20 + sumOf(header, 0, nameBytes) + sumOf(header, 100, 148) + sumOf(header, 156, 157 + targetBytes) + sumOf(header, 257, 265) + sumOf(header, 329, 345);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const rest = content.length % BLOCK_BYTES;
  return rest === 0 ? [header, content] : [header, content, ZEROS.subarray(rest)];
}

const ZEROS = Buffer.alloc(BLOCK_BYTES);
const VERSION = 'ustar\x0000';
const NO_DEVICE = `${octal(0, 8)}${octal(0, 8)}`;

function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`;
}

function sumOf(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at++) sum += bytes[at] as number;
  return sum;
}
