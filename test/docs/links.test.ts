import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const pages = ['.', 'docs', 'docs/agents', 'docs/decisions', 'bench', 'examples', '.github'].flatMap((folder) => fs.readdirSync(path.join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => path.posix.join(folder, name)));

test('the pages are found', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'docs/threat-model.md', 'docs/decisions/0018-services.md', 'bench/README.md']));
});

test.each(pages)('every link in %s to a page or a heading of ours leads there', (page) => {
  const links = [...proseOf(page).replaceAll(/`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string).filter((link) => !/^[a-z]+:/.test(link));
  for (const link of links) {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
    expect(fs.existsSync(path.join(root, target)), `${link}: the file`).toBe(true);
    if (heading !== undefined && target.endsWith('.md')) expect(anchorsOf(target), `${link}: the heading`).toContain(heading);
  }
});

function proseOf(page: string): string {
  return fs.readFileSync(path.join(root, page), 'utf8').replaceAll(/^```[^]*?^```/gm, '');
}

/** As GitHub makes them of headings: lower case, hyphens for spaces, no other punctuation. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-'));
}
