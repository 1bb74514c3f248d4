import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cli-policy-'));
  fs.writeFileSync(path.join(folder, 'p.yml'), 'allow:\n  - GET file.test/v1/**\nsecrets: {KEY: {hosts: [api.test], in: ["header:x-key"]}}\nforeign-credentials: block\nprofiles: {wide: {allow: [wide.test], mode: observe}}\n');
  fs.writeFileSync(path.join(folder, 'bad.yml'), 'allow:\n  - *.file.test\nsecrets: {KEY: {hosts: [api.tst.test, 10.0.0.300]}}\nlimits: {memory: 4x}\n');
  fs.writeFileSync(path.join(folder, 'late.yml'), 'allow: [api.test, "tcp://api.test:443"]\nlimits:\n  memory: 4x\nenv:\n  A: x\nuser: admin\nsecrets: {KEY: {hosts: [api.test]}}\n# sk-the-value-itself-0123456789\n');
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => path.join(folder, name);

test('check explains against a policy file, its secrets and profiles included', () => {
  expect(runCli(['check', '--policy', file('p.yml'), 'https://file.test/v1/x', 'https://wide.test/', 'https://api.test/'])).toEqual({ exitCode: 1, lines: [], stdout: [
    'GET https://file.test/v1/x: allowed by GET file.test/v1/**', '  secret `KEY` is not bound to this host, and its placeholder is blocked: placeholder-wrong-host',
    'GET https://wide.test/: blocked: host-not-allowed; add `wide.test` to allow',
    'GET https://api.test/: allowed by secret KEY', '  secret `KEY` is swapped in `header:x-key`, once in each', '  other credentials in credential headers, and in headers a secret is pinned to, are blocked: foreign-credential', '',
  ].join('\n') });
  expect(runCli(['check', '--policy', `${file('p.yml')}#wide`, '--allow', 'more.test', 'https://wide.test/', 'https://more.test/'])).toMatchObject({ exitCode: 0 });
  expect(runCli(['check', '--policy', file('bad.yml'), 'https://a.test/'])).toMatchObject({ exitCode: 125, lines: [
    `decoy: ${file('bad.yml')}:2:5: \`*.file.test\` is an alias to YAML, because of the star: put it into quotes, \`"*.file.test"\``,
    expect.stringContaining(`${file('bad.yml')}:3:39: secret \`KEY\`: \`10.0.0.300\``),
    `decoy: ${file('bad.yml')}:4:18: memory: \`4x\` is not a size: write a number and a unit, such as \`512m\` or \`4g\``,
  ] });
});

test.each(['run', 'check'])('%s tells what is wrong in the file, with what is wrong beside it, at once', (verb) => {
  fs.writeFileSync(file('wrong.yml'), [
    'mode: obsrve', 'limits: {cpus: x}', 'shell: fish', 'allow: [a.test]', 'services:', '  web:', '    image: x', '    health-port: 80', 'profiles: {ci: {limits: {memory: 1}, expose: [99999]}}', '',
  ].join('\n'));
  const at = (place: string) => expect.stringMatching(`^decoy: ${file('wrong.yml')}:${place}`);
  const rest = verb === 'run' ? ['--workspace', 'none', '--timeout', '1h', '--script', file('wrong.yml')] : ['https://a.test/'];
  const { exitCode, stdout, lines } = runCli([verb, '--policy', file('wrong.yml'), '--allow', 'b.test', '--allow', 'tcp://b.test:443', ...rest]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 125, stdout: '' });
  expect(lines.filter((line) => line.includes('wrong.yml'))).toEqual([
    at('1:7: mode: `obsrve`'), at('2:16: cpus: `x`'), at('3:8: shell: the shell `fish`'), at('8:18: service `web`: health-port: `80`'), at('9:34: memory: `1`'), at('9:47: expose: `99999`'),
  ]);
  expect(lines.filter((line) => !line.includes('wrong.yml'))).toEqual([
    expect.stringContaining('allow rule `tcp://b.test:443`: the rule `b.test` lets only HTTP'), ...(verb === 'run' ? [expect.stringContaining('timeout: `1h`')] : []),
  ]);
});

test('what only this machine can say of a file that is wrong is told with the rest', () => {
  fs.writeFileSync(file('both.yml'), 'mode: obsrve\nlimits: {cpus: 256}\nvolumes: ["cache:/cache"]\nclient-certificates: {a.test: {certificate: /nonexistent/c, key: /nonexistent/k}}\n# sk-the-value-itself-0123456789\nsecrets: {KEY: {hosts: [api.test]}}\n');
  expect(runCli(['run', '--policy', file('both.yml'), '--secret', 'KEY', '--workspace', 'none', '--', 'true'], { env: { KEY: 'sk-the-value-itself-0123456789' } })).toMatchObject({ exitCode: 125, lines: [
    expect.stringContaining('both.yml:1:7: mode: `obsrve`'), expect.stringContaining('holds the real value of secret `KEY`'), expect.stringContaining('both.yml:2:16: cpus: `256` is more than this machine has'),
    expect.stringContaining('both.yml:4:23: client-certificates: cannot read `/nonexistent/c`'),
  ] });
});

test('what is wrong in a file of services is told with its name and the place of the value; an empty list is as an empty file', () => {
  const services = (text: string) => {
    fs.writeFileSync(file('services.yml'), text);
    return runCli(['run', '--services', file('services.yml'), '--workspace', 'none', '--', 'true']);
  };
  expect(services('web:\n  image: x\n  health-port: 80\n  imag: x\n')).toMatchObject({ exitCode: 125, lines: [
    expect.stringMatching(`^decoy: ${file('services.yml')}:4:3: \`imag\` is not a key`), expect.stringMatching(`^decoy: ${file('services.yml')}:3:16: service \`web\`: health-port: \`80\``),
  ] });
  for (const text of ['', '[]', '{}', '# none\n']) expect(services(text), text).toEqual({ exitCode: 125, stdout: '', lines: [`decoy: --services: \`${file('services.yml')}\` is empty: write a list of services into it`] });
});

test('what only all inputs together can say is told with the place in the file, and a value in it is refused', () => {
  const { exitCode, lines } = runCli(['run', '--policy', file('late.yml'), '--secret', 'KEY', '--workspace', 'none', '--timeout', '1h', '--', 'true'], { env: { KEY: 'sk-the-value-itself-0123456789' } });
  expect(exitCode).toBe(125);
  expect(lines.sort()).toEqual([
    `decoy: ${file('late.yml')}:1:19: allow: allow rule \`tcp://api.test:443\`: the rule \`api.test\` lets only HTTP through there: remove one of the two.`,
    `decoy: ${file('late.yml')}:3:11: memory: \`4x\` is not a size: write a number and a unit, such as \`512m\` or \`4g\``,
    `decoy: ${file('late.yml')}:6:7: user: \`admin\` is not one of \`runner\`, \`root\`: write one of these`,
    `decoy: policy: \`${file('late.yml')}\` holds the real value of secret \`KEY\`: remove it there, and change the credential`,
    'decoy: timeout: `1h` is longer than the most of 30m: write `30m` or less',
  ].sort());
});

test('suggest says what cannot be read', () => {
  fs.writeFileSync(file('old.json'), JSON.stringify({ version: 1 }));
  fs.writeFileSync(file('text.jsonl'), 'hello\n');
  expect(runCli(['suggest', file('old.json'), file('text.jsonl'), file('none.json')])).toMatchObject({ exitCode: 125, stdout: '', lines: [
    `decoy: \`${file('old.json')}\` is not a report that lists requests: give one that this version of Decoy wrote, or the audit log of the run`,
    `decoy: \`${file('text.jsonl')}\`, line 1, is neither a report nor an entry of an audit log: give files that Decoy wrote`,
    `decoy: cannot read \`${file('none.json')}\` (ENOENT): give the path of a report.json or an audit log`,
  ] });
  expect(runCli(['suggest'])).toMatchObject({ exitCode: 125 });
});

test('suggest writes a policy file, with what needs quotes in quotes, that check reads', () => {
  const request = (host: string, changes: object = {}) => ({ protocol: 'https', host, port: 443, method: 'GET', path: '/v1', count: 1, ...changes });
  fs.writeFileSync(file('report.json'), JSON.stringify({ version: 1, requests: [request('a.cdn.test'), request('b.cdn.test', { method: 'PROPFIND' }), request('c.cdn.test', { path: '/a@b/*' }), request('db.test', { protocol: 'tcp', port: 5432, method: null, path: null })] }));
  const { stdout, exitCode } = runCli(['suggest', '--policy-file', '--wildcard-hosts', file('report.json')]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '# yaml-language-server: $schema=https://raw.githubusercontent.com/owner/decoy/version/schema/policy.schema.json\nallow:\n  - "GET **.cdn.test/a@b/*"\n  - "**.cdn.test/v1"\n  - tcp://db.test:5432\n' });
  fs.writeFileSync(file('made.yml'), stdout);
  expect(runCli(['check', '--policy', file('made.yml'), 'https://x.y.cdn.test/v1', 'tcp://db.test:5432'])).toMatchObject({ exitCode: 0, lines: [] });
});
