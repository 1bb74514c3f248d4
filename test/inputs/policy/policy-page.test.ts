import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parsePolicy } from '../../../src/inputs/policy/parse-policy.ts';
import { FILE_KEYS, LIMIT_KEYS, PROFILE_KEYS, SECRET_KEYS } from '../../../src/inputs/policy/policy-keys.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const page = readFileSync(path.join(root, 'docs/policy.md'), 'utf8');
type Schema = { description?: string; $ref?: string; enum?: string[]; properties?: Record<string, Schema>; additionalProperties?: Schema };
const schema = JSON.parse(readFileSync(path.join(root, 'schema/policy.schema.json'), 'utf8')) as Schema & { properties: Record<string, Schema>; definitions: Record<string, Schema> };

test('the example of the page is read, with its profile', () => {
  const [, example = ''] = /```yaml\n(# yaml-language-server[^]*?)```/.exec(page) ?? [];
  expect(parsePolicy(Buffer.from(example), { file: 'p.yml', profile: 'nightly' })).toMatchObject({ ok: true, value: { inputs: { timeout: '30m', memory: '2g', failOnBlocked: 'true', env: ['LOG_LEVEL=debug', 'DRY_RUN=yes'] } } });
});

test('page, schema and parser know the same keys, and the schema says what each means', () => {
  const { definitions, properties } = schema;
  const { profile, secrets, limits } = definitions as Record<'profile' | 'secrets' | 'limits', Schema>;
  expect(Object.keys(properties).sort()).toEqual([...FILE_KEYS].sort());
  expect(Object.keys(profile.properties!).sort()).toEqual([...PROFILE_KEYS].sort());
  expect(Object.keys(limits.properties!).sort()).toEqual(Object.keys(LIMIT_KEYS).sort());
  expect(Object.keys(secrets.additionalProperties!.properties!).sort()).toEqual([...SECRET_KEYS].sort());
  for (const each of [properties, limits.properties!, secrets.additionalProperties!.properties!]) {
    for (const [name, { $ref, description }] of Object.entries(each)) expect($ref === undefined ? description : definitions[$ref.replace('#/definitions/', '')]?.description, name).toMatch(/\.$/);
  }
  const rows = [...page.matchAll(/^\| (`[^|]*) \| /gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, key]) => key!));
  for (const key of FILE_KEYS) expect(rows, key).toContain(key);
  // Each word the schema offers is one that is taken.
  for (const [name, { enum: words = [] }] of Object.entries(definitions)) {
    for (const word of words) expect(parsePolicy(Buffer.from(`${name}: ${word}`), { file: 'p.yml', profile: null }).ok, `${name}: ${word}`).toBe(true);
  }
});
