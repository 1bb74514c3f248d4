import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packVolumes, unpackVolumes } from '../../src/volumes/archive.ts';

let root: string;
beforeAll(() => { root = fs.mkdtempSync(path.join(os.tmpdir(), 'volumes-archive-')); });
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const below = (name: string) => path.join(root, name);

test('a volume of 2 GiB with a megabyte in it makes a small archive, and has its holes when it comes back', async () => {
  fs.mkdirSync(below('from/a'), { recursive: true });
  fs.writeFileSync(below('from/a/disk'), Buffer.alloc(2 ** 20, 'x'));
  fs.truncateSync(below('from/a/disk'), 2 * 2 ** 30);
  await packVolumes({ archive: below('archive/volumes.tar'), directory: below('from'), names: ['a'] });
  expect(fs.statSync(below('archive/volumes.tar')).size).toBeLessThan(2 * 2 ** 20);
  expect(await unpackVolumes({ archive: below('archive/volumes.tar'), directory: below('to'), names: ['a'] })).toBe(true);
  const { size, blocks } = fs.statSync(below('to/a/disk'));
  expect([size, blocks * 512 < 2 * 2 ** 20]).toEqual([2 * 2 ** 30, true]);
  expect(await unpackVolumes({ archive: below('none.tar'), directory: below('to'), names: ['a'] })).toBe(false);
});

test.each([
  ['a link in place of the volume', 'ln -s /etc/passwd a/disk'],
  ['a link in place of its folder', 'rmdir a; mkdir elsewhere; echo x > elsewhere/disk; ln -s elsewhere a'],
  ['a name that leads out', 'echo x > ../escaped; mkdir -p a; tar -P -cf ../hostile.tar ../escaped; exit'],
])('of %s nothing is unpacked', async (_, script) => {
  fs.rmSync(below('hostile'), { recursive: true, force: true });
  fs.mkdirSync(below('hostile/a'), { recursive: true });
  fs.rmSync(below('hostile.tar'), { force: true });
  execFileSync('sh', ['-c', `${script}\ntar -cf ../hostile.tar *`], { cwd: below('hostile') });
  fs.rmSync(below('escaped'), { force: true });
  await expect(unpackVolumes({ archive: below('hostile.tar'), directory: below('victim'), names: ['a'] })).rejects.toThrow();
  expect([fs.existsSync(below('victim/a')), fs.existsSync(below('escaped')), fs.readdirSync(root).filter((name) => name.startsWith('victim-'))]).toEqual([false, false, []]);
});
