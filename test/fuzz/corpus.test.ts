import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codeOf, parseMarkdownTables } from '../policy/markdown-tables.ts';

type Target = { fuzz(data: Buffer): void | Promise<void> };

const folder = new URL('./', import.meta.url);
const targets = readdirSync(folder).filter((name) => name.endsWith('.fuzz.ts')).map((name) => name.replace('.fuzz.ts', ''));

// What the fuzzers start from, and what they found: every input through every target, as one may be another's counter-example.
const inputs = targets.flatMap((target) => readdirSync(new URL(`corpus/${target}/`, folder)).map((name) => `${target}/${name}`));

test('every target has inputs', () => {
  expect(targets.filter((target) => !inputs.some((input) => input.startsWith(`${target}/`)))).toEqual([]);
});

test('the page has a row for every target, also of Go', () => {
  const root = new URL('../../', import.meta.url);
  const [table] = parseMarkdownTables(readFileSync(new URL('docs/fuzzing.md', root), 'utf8'));
  const guest = new URL('guest/gateway/', root);
  const tests = readdirSync(guest).filter((name) => name.endsWith('_test.go')).map((name) => readFileSync(new URL(name, guest), 'utf8'));
  const inGo = tests.flatMap((text) => [...text.matchAll(/^func (Fuzz\w+)/gm)].map(([, name]) => name!));
  expect(table!.rows.flatMap(([target]) => codeOf(target!)).sort()).toEqual([...targets, ...inGo].sort());
});

describe.each(targets)('%s', async (target) => {
  const { fuzz } = await import(`./${target}.fuzz.ts`) as Target;
  test.each(inputs)('%s', async (input) => {
    await fuzz(readFileSync(new URL(`corpus/${input}`, folder)));
  });

  test('nothing, and every byte alone', async () => {
    await fuzz(Buffer.alloc(0));
    for (let byte = 0; byte < 256; byte += 1) await fuzz(Buffer.from([byte]));
  });
});
