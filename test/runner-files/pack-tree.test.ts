import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packTree, type TarEntry } from '../../src/sandbox/runner-files/pack-tree.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'pack-tree-'));
afterAll(() => rmSync(folder, { recursive: true }));

const owner = { uid: 1001, gid: 1002 };
const file = (name: string, content: Buffer | string): TarEntry => ({ name, type: 'file', mode: 0o644, ...owner, content });

/** GNU tar reads what was packed: independent of the code under test. */
function tar(args: string[], archive: Buffer): string {
  const { status, stdout, stderr } = spawnSync('tar', args, { input: archive, cwd: folder, encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  expect(status, stderr).toBe(0);
  expect(stderr).toBe('');
  return stdout;
}

function namesIn(entries: TarEntry[]): string[] {
  return tar(['--quoting-style=literal', '-tf', '-'], packTree(entries)).split('\n').slice(0, -1);
}

test('modes, owners, kinds and targets are those of the entries', () => {
  const listing = tar(['--numeric-owner', '-tvf', '-'], packTree([
    { name: 'tmp', type: 'directory', mode: 0o1777, uid: 0, gid: 0 },
    file('tmp/file', 'hello'),
    { name: 'tmp/link', type: 'symlink', mode: 0o777, uid: 0, gid: 0, target: '/etc/passwd' },
    { name: 'tmp/gone', type: 'whiteout', mode: 0o600, uid: 0, gid: 0 },
  ]));
  expect(listing.replaceAll(/ +\d+-\d+-\d+ \d+:\d+ /g, ' ').split('\n')).toEqual([
    'drwxrwxrwt 0/0               0 tmp/', '-rw-r--r-- 1001/1002         5 tmp/file', 'lrwxrwxrwx 0/0               0 tmp/link -> /etc/passwd', 'crw------- 0/0             0,0 tmp/gone', '',
  ]);
});

test.each([0, 1, 511, 512, 513, 1024, 300_000])('a file of %d bytes comes back whole, and so does the one after it', (bytes) => {
  const content = Buffer.from(Array.from({ length: bytes }, (_, at) => at * 31 % 251));
  tar(['-xf', '-'], packTree([file('whole', content), file('after', 'after')]));
  expect(readFileSync(path.join(folder, 'whole')).equals(content)).toBe(true);
  expect(readFileSync(path.join(folder, 'after'), 'utf8')).toBe('after');
});

test.each([
  ['99 bytes', 'n'.repeat(99)], ['100 bytes', 'n'.repeat(100)], ['101 bytes', 'n'.repeat(101)],
  ['a long path', `${'deep/'.repeat(60)}file`], ['4,000 bytes', 'n/'.repeat(2000).slice(0, -1)],
  ['letters of two bytes each, 100 bytes', 'é'.repeat(50)], ['letters of two bytes each, 102 bytes', 'é'.repeat(51)], ['two words', 'two words'],
  ['as long as makes the length of its record gain a digit', 'n'.repeat(987)],
])('a name of %s', (_, name) => {
  expect(namesIn([file(name, 'x'), file('after', 'x')])).toEqual([name, 'after']);
});

test('a directory whose name needs the last byte for its slash', () => {
  expect(namesIn([{ name: 'd'.repeat(100), type: 'directory', mode: 0o755, ...owner }])).toEqual([`${'d'.repeat(100)}/`]);
});

test('a long target', () => {
  const target = `/usr/${'t'.repeat(200)}`;
  expect(tar(['-tvf', '-'], packTree([{ name: 'link', type: 'symlink', mode: 0o777, ...owner, target }]))).toContain(`link -> ${target}\n`);
});

test('owners as great as a directory service gives', () => {
  expect(tar(['--numeric-owner', '-tvf', '-'], packTree([{ ...file('theirs', ''), uid: 0o7777777, gid: 0o10000000 }, { ...file('great', ''), uid: 4_294_967_294, gid: 0 }])))
    .toMatch(/2097151\/2097152 .* theirs\n.* 4294967294\/0 .* great\n/);
});
