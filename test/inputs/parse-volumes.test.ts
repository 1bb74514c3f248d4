import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseVolumes } from '../../src/inputs/parse-volumes.ts';

let root: string;
beforeAll(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'parse-volumes-')));
  fs.mkdirSync(path.join(root, 'tools/real'), { recursive: true });
  fs.symlinkSync('/decoy', path.join(root, 'tools/link'));
  fs.writeFileSync(path.join(root, 'tools/file'), '');
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const context = (change: object = {}) => ({
  directory: '/home/me/.local/share/decoy/volumes', workspacePath: '/work/project',
  layout: { trees: [{ name: 'usr', path: '/usr', hidden: [] }, { name: 'toolcache', path: path.join(root, 'tools'), hidden: [] }], links: [{ name: 'bin', target: 'usr/bin' }, { name: 'alias', target: 'decoy' }] }, ...change,
});

test('lines become volumes, in the order every run locks them in', () => {
  expect(parseVolumes(['npm:/home/runner/.npm', '', '# nothing', ' a-1.b_c:/cache:512m:ro ', 'b:/usr/local/b:1g', `tools:${root}/tools/real/new`], context())).toEqual({
    problems: [],
    volumes: [
      { name: 'a-1.b_c', path: '/cache', sizeBytes: 512 * 2 ** 20, readOnly: true }, { name: 'b', path: '/usr/local/b', sizeBytes: 2 ** 30, readOnly: false },
      { name: 'npm', path: '/home/runner/.npm', sizeBytes: null, readOnly: false }, { name: 'tools', path: `${root}/tools/real/new`, sizeBytes: null, readOnly: false },
    ],
  });
});

test.each([
  ['cache', 'is not a volume: write `name:/path`'],
  ['a:/x:1g:rw', 'is not a volume'],
  ['../x:/cache', 'has the name `../x`'],
  ['Up:/cache', 'has the name `Up`'],
  ['a:cache', 'has the path `cache`'],
  ['a:/x/../etc', 'has the path `/x/../etc`'],
  ['a:/x/', 'has the path `/x/`'],
  ['a:/x,y', 'has the path `/x,y`'],
  ['a:/', 'has the path `/`'],
  ['a:/cache:9', 'less than the least of 32m'],
  ['a:/cache:9p', 'is not a size'],
  ['a:/proc/x', 'would cover `/proc`'],
  ['a:/etc', 'would cover `/etc`'],
  ['a:/decoy', 'would cover `/decoy`'],
  ['a:/decoy-guest', 'would cover `/decoy-guest`'],
  ['a:/var/run/x', 'would cover `/var/run`'],
  ['a:/home/runner', 'would hide what is in `/home/runner`'],
  ['a:/usr', 'would hide what is in `/usr`'],
  ['a:/work', 'lies at, in or around the workspace `/work/project`'],
  ['a:/work/project/node_modules', 'lies at, in or around the workspace'],
  ['a:/bin/x', 'leads through `/bin`'],
  ['a:/alias/x', 'leads through `/alias`'],
  ['a:ROOT/tools', 'would hide the runner\'s'],
  ['a:ROOT/tools/link/x', '/tools/link`, which is no directory'],
  ['a:ROOT/tools/file', '/tools/file`, which is no directory'],
])('%s is refused', (line, problem) => {
  const { volumes, problems } = parseVolumes([line.replace('ROOT', root)], context());
  expect(volumes).toEqual([]);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test('two with one name or one place are refused, and so is a directory of volumes the sandbox could reach', () => {
  expect(parseVolumes(['a:/x', 'a:/y'], context()).problems).toEqual([expect.stringContaining('`a:/y` has the name of another')]);
  expect(parseVolumes(['a:/x', 'b:/x/y'], context()).problems).toEqual([expect.stringContaining('`b:/x/y` has the name of another')]);
  for (const directory of ['/work/project/volumes', '/work', '/usr/volumes', `${root}/tools/real/volumes`]) {
    expect(parseVolumes(['a:/x'], context({ directory })).problems, directory).toEqual([expect.stringContaining('set DECOY_VOLUMES to a directory outside')]);
  }
  fs.symlinkSync('/usr/share', path.join(root, 'to-usr'));
  expect(parseVolumes(['a:/x'], context({ directory: `${root}/to-usr/volumes` })).problems).toHaveLength(1);
  expect(parseVolumes(['a:/x'], context({ directory: null })).problems).toEqual([expect.stringContaining('set HOME, or DECOY_VOLUMES')]);
});
