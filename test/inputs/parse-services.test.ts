import { expect, test } from 'vitest';
import { parseServices } from '../../src/inputs/parse-services.ts';
import { parsePolicy } from '../../src/inputs/policy/parse-policy.ts';
import { mergeInputs } from '../../src/inputs/policy/merge-inputs.ts';
import { readServicesText } from '../../src/inputs/policy/read-services.ts';
import { parseRules } from '../../src/policy/parse-rules.ts';

const value = 'sk-real0123456789abcdefgh';
const context = { rules: parseRules(['tcp://db.example.com:5432']).rules, secrets: [{ name: 'API_KEY', hosts: [], hostTexts: [], value }], machineCpus: 2, hasWorkspace: false };

function parse(text: string) {
  const { services, problems } = readServicesText(text);
  return problems.length > 0 ? { services: [], problems } : parseServices(services, context);
}

const db = { name: 'db', image: { text: 'postgres:17' }, env: {}, entrypoint: null, command: null, health: { kind: 'port', port: 5433 }, healthSeconds: 60, limits: { memoryBytes: 2 ** 29, cpus: 1, pids: 512, storageBytes: 2 * 2 ** 30 }, workspace: 'none' };

test.each<[string, string, object[]]>([
  ['by name, as GitHub\'s', 'db: { image: "postgres:17", health-port: 5433 }', [db]],
  ['a list', '- name: db\n  image: postgres:17\n  health-port: 5433\n', [db]],
  ['all there is', `
cache:
  image: registry.example.com/redis@sha256:${'a'.repeat(64)}
  env: { A: 1, B: "yes", C: "" }
  entrypoint: [/bin/sh, -c]
  command: redis-server --port 7000
  health-command: redis-cli -p 7000 ping | grep PONG
  health-timeout: 2m
  memory: 64m
  cpus: 0.5
  pids: 32
  storage: 100m
`, [{ name: 'cache', env: { A: '1', B: 'yes', C: '' }, entrypoint: ['/bin/sh', '-c'], command: ['redis-server', '--port', '7000'], health: { kind: 'command', argv: ['/bin/sh', '-c', 'redis-cli -p 7000 ping | grep PONG'] }, healthSeconds: 120, limits: { memoryBytes: 64 * 2 ** 20, cpus: 0.5, pids: 32, storageBytes: 100 * 2 ** 20 } }]],
  ['a health command of words', 'a: { image: x, health-command: [pg_isready, -h, localhost] }', [{ health: { kind: 'command', argv: ['pg_isready', '-h', 'localhost'] } }]],
  ['nothing', '# none\n', []],
])('is read: %s', (_, text, services) => {
  expect(parse(text)).toMatchObject({ problems: [], services });
});

test.each<[string, string]>([
  ['db: { health-port: 5433 }', 'services:1:1: service `db`: it has no image'],
  ['db: { image: "Not An Image", health-port: 1000 }', 'image: `Not An Image` is not the reference of an image'],
  ['db: { image: x }', 'nothing tells when it is up: write `health-port: 5432`'],
  ['db: { image: x, health-port: 5432 }', 'health-port: `5432` is the port of the rule `tcp://db.example.com:5432`'],
  ['db: { image: x, health-port: 443 }', 'health-port: `443` is a port on which Decoy answers'],
  ['db: { image: x, health-port: 99999 }', 'health-port: '],
  ['db: { image: x, health-port: 1000, health-command: y }', 'it has both `health-port` and `health-command`'],
  ['- { image: x, health-port: 1000 }', 'service `number 1`: it has no name'],
  ['Db: { image: x, health-port: 1000 }', 'its name `Db` cannot be one of a host'],
  ['localhost: { image: x, health-port: 1000 }', 'its name `localhost` cannot be one of a host'],
  ['api.example.com: { image: x, health-port: 1000 }', 'its name `api.example.com` cannot be one of a host'],
  ['[{ name: a, image: x, health-port: 1000 }, { name: a, image: x, health-port: 1001 }]', 'services:1:52: service `a` is the name of two'],
  ['{ a: { image: x, health-port: 1000 }, b: { image: x, health-port: 1000 } }', 'services:1:67: service `b`: health-port: 1000 is another service\'s, too'],
  ['db: { image: x, health-port: 1000, memory: lots }', 'services:1:44: service `db`: memory: `lots`'],
  ['db: { image: x, health-port: 1000, cpus: 3 }', 'cpus: `3`'],
  ['db: { image: x, health-port: 1000, pids: 1 }', 'pids: `1`'],
  ['db: { image: x, health-port: 1000, storage: 1m }', 'storage: `1m`'],
  ['db: { image: x, health-port: 1000, health-timeout: 1h }', 'health-timeout: `1h`'],
  ['db: { image: x, health-port: 1000, workspace: write }', 'workspace: `write`'],
  ['db: { image: x, health-port: 1000, workspace: read-only }', 'it asks for the workspace, but `workspace: none` holds'],
  ['db: { image: x, health-port: 1000, entrypoint: [] }', 'entrypoint is empty'],
  ['db: { image: x, health-port: 1000, ports: [5432] }', 'services:1:36: `ports` is not a key of a service: a service is reached on localhost'],
  ['db: { image: x, health-port: 1000, options: --health-cmd x }', 'write `health-command`, `memory` and the like'],
  ['db: { image: x, health-port: 1000, credentials: x }', 'log in before'],
  ['db: { image: x, health-port: 1000, secrets: x }', 'a service gets no secrets'],
  ['db: { image: x, health-port: 1000, comand: x }', 'write `command`'],
  ['db: { image: x, health-port: 1000, command: sh -c "a b" }', 'holds quotes or other characters of a shell: write it as a list'],
  [`db: { image: x, health-port: 1000, env: { PASSWORD: ${value} } }`, 'env: `PASSWORD` holds the real value of secret `API_KEY`, which the code must not have: a service gets no secrets'],
  [`db: { image: x, health-port: 1000, command: [${Buffer.from(value).toString('base64')}] }`, 'holds the real value of secret `API_KEY`'],
  ['db: x', 'a service is a single value'],
  ['just text', '`services` is a single value'],
])('is refused: %s', (text, problem) => {
  const { problems } = parse(text);
  expect(problems).toEqual([expect.stringContaining(problem)]);
  expect(problems.join()).not.toContain(value);
});

test('too many are too many', () => {
  expect(parse(Array.from({ length: 9 }, (_, index) => `s${index}: { image: x, health-port: ${1000 + index} }`).join('\n')).problems).toEqual(['services:9:1: services: 9 are too many: give at most 8']);
});

test('a policy file has them, too; one of the profile or the input takes the place of one of its name', () => {
  const parsed = parsePolicy(Buffer.from('services:\n  db: { image: "postgres:16", health-port: 5433 }\n  cache: { image: redis, health-port: 6379 }\nprofiles:\n  new:\n    services: { db: { image: "postgres:17", health-port: 5433 } }\n'), { file: 'p.yml', profile: 'new' });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  expect(parsed.value.inputs.services).toMatchObject([{ name: 'cache', image: 'redis', where: 'p.yml:3:3' }, { name: 'db', image: 'postgres:17' }]);
  expect(mergeInputs(parsed.value.inputs, { services: [{ name: 'cache', where: 'x', image: 'valkey' }] }).services).toMatchObject([{ name: 'db' }, { name: 'cache', image: 'valkey' }]);
  expect(parsePolicy(Buffer.from('services: { db: { imag: x } }'), { file: 'p.yml', profile: null })).toMatchObject({ ok: false, problems: [expect.stringContaining('write `image`')] });
});

test('what is no YAML is told once, and nothing of what was guessed of it', () => {
  expect(readServicesText('db: [')).toMatchObject({ services: [], problems: [expect.stringContaining('this is not YAML')] });
});
