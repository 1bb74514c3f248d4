import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../../../src/inputs/policy/parse-policy.ts';

// What an editor says of a policy file, by a validator of its own: `strict` refuses a schema with a misspelled keyword or a default of the wrong type.
const root = path.resolve(import.meta.dirname, '../../..');
const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(JSON.parse(readFileSync(path.join(root, 'schema/policy.schema.json'), 'utf8')) as object);
const complaints = (text: string) => (validate(parse(text)) ? [] : validate.errors!.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`));
const isRead = (text: string) => parsePolicy(Buffer.from(text), { file: 'p.yml', profile: null }).ok;

test('the examples of the page are valid, and read', () => {
  const examples = [...readFileSync(path.join(root, 'docs/policy.md'), 'utf8').matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text!).filter((text) => /^(version|allow|secrets):/m.test(text));
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    expect(complaints(example)).toEqual([]);
    expect(isRead(example), example).toBe(true);
  }
});

test.each([
  'version: 1',
  'allow: [GET api.github.com/repos/**, "*.example.com", tcp://db.example.com:5432]',
  'secrets: {KEY: {hosts: [a.test], in: [credentials, path, "header:x-key", "query:key", "body:a.b"], max: 1000}, OTHER: {hosts: [b.test], in: [body]}}',
  'env: {A: text, B: 1.10, C: "no", D: ""}',
  'limits: {timeout: 5m, memory: 2g, cpus: 1.5, storage: 5g, pids: 512}',
  'proxy-limits: {connections: 256, idle: 30s, memory: 64m, requests-per-minute: 60, requests-running: 10, header-bytes: 16k}',
  'client-certificates: {a.test: {certificate: /run/c.pem, key: /run/k.pem}}',
  'volumes: ["npm:/home/runner/.npm:2g"]',
  'expose: [8080, "3000:8081", "/run/pg.sock:5432"]',
  'services: {db: {image: "postgres:17", env: {A: 1}, health-command: pg_isready, memory: 1g, cpus: 0.5, pids: 100, storage: 1g, workspace: read-only}}',
  'services: [{name: cache, image: redis, command: [redis-server, --save, ""], health-port: 6379, health-timeout: 2m}]',
  'fail-on-blocked: true',
  'profiles: {ci: {mode: observe, limits: {cpus: 1}}, night.ly_1: {}}',
])('valid, and read: %s', (text) => {
  expect(complaints(text)).toEqual([]);
  expect(isRead(text)).toBe(true);
});

test.each<[string, string]>([
  ['alow: []', ' additionalProperties'],
  ['run: x', ' additionalProperties'],
  ['version: 2', '/version const'],
  ['allow: a.test', '/allow type'],
  ['allow: [{a.test: 443}]', '/allow/0 type'],
  ['secrets: {KEY: sk-value}', '/secrets/KEY type'],
  ['secrets: {KEY: {value: sk-value}}', '/secrets/KEY required'],
  ['secrets: {KEY: {hosts: []}}', '/secrets/KEY/hosts minItems'],
  ['secrets: {KEY: {hosts: [a.test], in: [heder:x]}}', '/secrets/KEY/in/0 pattern'],
  ['secrets: {KEY: {hosts: [a.test], max: 0}}', '/secrets/KEY/max minimum'],
  ['secrets: {KEY: {hosts: [a.test], max: 1001}}', '/secrets/KEY/max maximum'],
  ['expose: 8080', '/expose type'],
  ['expose-file: x', ' additionalProperties'],
  ['services: {db: {imag: x}}', '/services/db additionalProperties'],
  ['services: {db: {image: x, ports: [5432]}}', '/services/db additionalProperties'],
  ['env: {1A: x}', '/env pattern'],
  ['limits: {tmeout: 5m}', '/limits additionalProperties'],
  ['proxy-limits: {conections: 2}', '/proxy-limits additionalProperties'],
  ['client-certificates: {a.test: {certificate: x}}', '/client-certificates/a.test required'],
  ['mode: watch', '/mode enum'],
  ['workspace: all', '/workspace enum'],
  ['user: nobody', '/user enum'],
  ['foreign-credentials: keep', '/foreign-credentials enum'],
  ['fail-on-blocked: "yes"', '/fail-on-blocked type'],
  ['profiles: {x: {alow: []}}', '/profiles/x additionalProperties'],
  ['profiles: {x: {profiles: {}}}', '/profiles/x additionalProperties'],
])('an editor marks it, and it is refused: %s', (text, complaint) => {
  expect(complaints(text)).toContain(complaint);
  expect(isRead(text)).toBe(false);
});
