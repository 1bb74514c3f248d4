import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GATEWAY_REASONS, nameEntry, refusalEntry } from '../../src/gateway-entries.ts';
import { REFUSAL_REASONS } from '../../src/policy/policy.ts';
import { refuseSeen } from '../../src/secrets/refuse-seen.ts';
import { codeOf, parseMarkdownTables } from '../policy/markdown-tables.ts';
import { boundSecret } from '../secrets/bound-secret.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
const rows = parseMarkdownTables(page('reasons')).flatMap((table) => table.rows);

test('the page has a row for each reason, and each row a reason', () => {
  expect(rows.map(([reason]) => codeOf(reason!)[0]).sort()).toEqual([...REFUSAL_REASONS].sort());
  for (const [reason, status, happened, helps] of rows) {
    expect(status, reason).toMatch(/^$|^\d{3}/);
    expect([happened, helps].every((cell) => /\w/.test(cell!)), reason).toBe(true);
  }
});

test('the links of the page lead to headings there are', () => {
  const links = [...page('reasons').matchAll(/\]\((?:([a-z-]+)\.md)?#([a-z0-9-]+)\)/g)];
  expect(links.length).toBeGreaterThan(5);
  for (const [, file, heading] of links) {
    const headings = [...page(file!).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replaceAll(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
    expect(headings, file).toContain(heading);
  }
});

test('what the gateway can say of a refusal has a reason of these', () => {
  const folder = new URL('../../guest/gateway/', import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.go') && !name.endsWith('_test.go')).map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const said = [...sources.matchAll(/(?:report\(message\{|Type: "refused", )Reason: "([a-z-]+)"|t\.refuse\(client, "([a-z-]+)"\)/g)].map(([, reported, refused]) => reported ?? refused!);
  expect([...new Set(said)].sort()).toEqual(Object.keys(GATEWAY_REASONS).sort());
});

test.each([
  ['no-name-for-address', '198.18.0.9', 80, { protocol: 'tcp', host: '198.18.0.9', port: 80, reason: 'no-name-for-address' }],
  ['malformed-name', '', 0, { protocol: 'dns', host: 'gateway', port: null, reason: 'name-not-allowed', remedy: 'what was asked for is no host name, and so is not shown: it cannot be allowed' }],
  ['capacity', '', 0, { host: 'gateway', reason: 'capacity' }],
  ['suppressed', '', 0, { host: 'gateway', reason: 'capacity' }],
  ['constructor', '', 0, { host: 'gateway', reason: 'no-name-for-address' }],
])('a refusal of the gateway: %s', (reason, address, port, entry) => {
  expect(refusalEntry({ id: -1, refusal: { reason, address, port, count: 1 } })).toMatchObject({ decision: 'blocked', ...entry });
});

test('a name that is not allowed comes with the line that would', () => {
  const question = { name: 'API.Example.com.', type: 'A', transport: 'udp' } as const;
  expect(nameEntry({ id: -1, question, host: 'api.example.com', allowed: false })).toMatchObject({ protocol: 'dns', reason: 'name-not-allowed', remedy: 'add `api.example.com` to allow' });
});

test('placeholder-wrong-place is described in the words of its remedy', () => {
  const secret = boundSecret('KEY', 'sk-proj-aB3E6gH9jK2mN5pQ8sT1vX', 'api.example.com');
  const { reason, remedy } = refuseSeen({ secret, kind: 'placeholder', encoding: 'raw' }, { destination: { scheme: 'https', host: 'api.example.com', port: 443 }, method: 'GET', place: 'URL path' })!;
  expect([reason, remedy]).toEqual(['placeholder-wrong-place', expect.stringMatching(/^Secret `KEY` is swapped only where it stands unencoded in a credential header .*, or in Basic credentials: send it there/)]);
  const described = [rows.find(([cell]) => cell === `\`${reason}\``)!.join(), page('secrets').split('\n').find((line) => line.startsWith('| a placeholder |') && line.includes(reason))!];
  for (const text of described) for (const words of ['where it stands unencoded in', 'a credential header or Basic credentials']) expect(text).toContain(words);
});
