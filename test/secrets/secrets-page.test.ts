import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CREDENTIAL_HEADERS } from '../../src/secrets/credential-headers.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';

const page = readFileSync(new URL('../../docs/secrets.md', import.meta.url), 'utf8');

function rowsBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading))!;
  return section.split('\n').filter((line) => line.startsWith('|')).slice(2).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()));
}

it('lists the headers in which a placeholder is swapped', () => {
  expect(rowsBelow('What is swapped')).toEqual(CREDENTIAL_HEADERS.map(({ name, usedBy }) => [`\`${name}\``, usedBy]));
});

it('lists the forms', () => {
  expect(rowsBelow('What is scrubbed').map(([form]) => form)).toEqual([...new Set(encodedForms('aB3 "/é+dE6gH9>>>???').map(({ encoding }) => encoding))]);
});

it('has header names in lower case, once each, and neither cookies nor what is for the next hop', () => {
  const names = CREDENTIAL_HEADERS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names.map((name) => name.toLowerCase()))]);
  expect(names).not.toContain('cookie');
  expect(names).not.toContain('proxy-authorization');
});
