import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const docs = path.resolve(import.meta.dirname, '../../docs');
const text = fs.readFileSync(path.join(docs, 'comparison.md'), 'utf8');
const sources = new Map([...text.matchAll(/^\[\^([\w-]+)\]: (.*)$/gm)].map(([, name, source]) => [name as string, source as string]));
const rows = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
  .map((line) => line.slice(2, -2).split(' | ')).map(([name = '', decoy = '', ...others]) => ({ name, decoy, others }));

test('what is said of others has a source, or is called not stated', () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const { name, others } of rows) {
    expect(others, name).toHaveLength(6);
    for (const cell of others) expect(/\[\^[\w-]+\]/.test(cell) || ['not stated', '–'].includes(cell), `${name}: ${cell}`).toBe(true);
  }
});

test('so has what others do better', () => {
  const [, section = ''] = /## Where others do better\n([^]*?)\n## /.exec(text) ?? [];
  const points = section.split('\n').filter((line) => line.startsWith('- '));
  expect(points.length).toBeGreaterThan(5);
  for (const point of points) expect(point).toMatch(/\[\^[\w-]+\]/);
});

test('each source has an address and the day it was read, is used, and is there', () => {
  const used = new Set([...text.matchAll(/\[\^([\w-]+)\](?!:)/g)].map(([, name]) => name as string));
  expect([...used].sort()).toEqual([...sources.keys()].sort());
  for (const [name, source] of sources) expect(source, name).toMatch(/<https:\/\/[^>]+>.*read \d{4}-\d{2}-\d{2}/);
});

test('a file of a repository is named by its commit', () => {
  for (const [, source] of sources) for (const [, ref] of source.matchAll(/\/blob\/([^/]+)\//g)) expect(ref).toMatch(/^[0-9a-f]{40}$/);
});

test('links to our own pages lead somewhere', () => {
  for (const [, page = ''] of text.matchAll(/\]\(((?!https:)[^)#]+)[^)]*\)/g)) expect(fs.existsSync(path.join(docs, page)), page).toBe(true);
});
