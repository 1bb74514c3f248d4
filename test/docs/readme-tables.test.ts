import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const places: string[] = [];
afterAll(() => places.forEach((place) => fs.rmSync(place, { recursive: true, force: true })));

/** Runs scripts/docs.mjs on a copy of what it reads, changed. */
function docs({ args, change }: { args: string[]; change(file: (name: string) => { text: string; write(text: string): void }): void }) {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'docs-'));
  places.push(place);
  for (const name of ['README.md', 'action.yml', 'docs']) fs.cpSync(path.join(root, name), path.join(place, name), { recursive: true });
  change((name) => ({ text: fs.readFileSync(path.join(place, name), 'utf8'), write: (text) => fs.writeFileSync(path.join(place, name), text) }));
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/docs.mjs'), ...args], { encoding: 'utf8', env: { ...process.env, DECOY_DOCS_ROOT: place } });
  return { status, stderr: stderr.trim(), readme: fs.readFileSync(path.join(place, 'README.md'), 'utf8') };
}

const unchanged = () => {};
const swap = (file: string, from: string, to: string) => (get: Parameters<Parameters<typeof docs>[0]['change']>[0]) => {
  const { text, write } = get(file);
  expect(text).toContain(from);
  write(text.replace(from, to));
};

test('README.md says of inputs and outputs what action.yml says', () => {
  expect(docs({ args: ['--check'], change: unchanged })).toMatchObject({ status: 0, stderr: '' });
});

test.each([
  ['an input\'s description', swap('action.yml', 'Most memory, swap included', 'Most memory of all')], ['a default', swap('action.yml', 'Default: `4g`', 'Default: `8g`')], ['an output', swap('action.yml', 'Processor time used', 'Time')],
  ['a new input', swap('action.yml', '  env:\n', '  another:\n    description: Something else\n  env:\n')], ['the table itself', swap('README.md', '| `4g` |', '| `5g` |')],
])('where they differ (%s) the check fails and says what to do, and without --check they do no more', (_, change) => {
  expect(docs({ args: ['--check'], change })).toMatchObject({ status: 1, stderr: 'README.md does not say what action.yml says: run `npm run docs` and commit README.md' });
  const written = docs({ args: [], change });
  expect(written.status).toBe(0);
  expect(docs({ args: ['--check'], change: (file) => { change(file); file('README.md').write(written.readme); } }).status).toBe(0);
});

test('a link that leads nowhere is refused', () => {
  expect(docs({ args: ['--check'], change: () => fs.rmSync(path.join(places.at(-1) as string, 'docs/volumes.md')) }).stderr).toContain('docs/volumes.md, which is not there');
});

test('the README begins with an example and stays short', () => {
  const lines = fs.readFileSync(path.join(root, 'README.md'), 'utf8').split('\n');
  expect(lines.indexOf('```yaml')).toBeLessThan(15);
  expect(lines.length).toBeLessThanOrEqual(250);
});
