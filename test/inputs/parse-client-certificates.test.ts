import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { makeCertificate } from '../proxy/make-certificate.ts';

let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
const key = (file: string) => fs.readFileSync(file, 'utf8');

beforeAll(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-certificates-')));
  for (const name of ['kept', 'project', 'tools', 'tools/hidden']) fs.mkdirSync(at(name));
  for (const name of ['kept/a', 'kept/b', 'project/c', 'tools/d', 'tools/hidden/e']) makeCertificate(at(path.dirname(name)), path.basename(name));
  makeCertificate(at('kept'), 'locked', { passphrase: 'open sesame' });
  fs.writeFileSync(at('kept/broken.pem'), key(at('kept/a.pem')).replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'));
  fs.symlinkSync(at('project/c.key'), at('kept/link.key'));
  fs.symlinkSync(at('kept/a.key'), at('project/out.key'));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const parse = (lines: string[], workspace = 'copy') => parseInputs({ command: ['true'], workspace, clientCertificates: lines.map((line) => line.replaceAll('~', folder)) }, {
  secrets: { secrets: [], problems: [] }, workspacePath: at('project'), homePath: '/nowhere',
  host: { toolCache: at('tools'), hidden: [at('tools/hidden')] },
});
const problemsOf = (...lines: string[]) => {
  const result = parse(lines);
  return result.ok ? [] : result.problems.map((problem) => problem.replaceAll(folder, '~'));
};

test('files are read, and patterns are those of secrets', () => {
  const result = parse(['# mutual TLS', '', ' *.Corp.test = ~/kept/a.pem , ~/kept/a.key', 'api.test=~/tools/hidden/e.pem,~/tools/hidden/e.key', 'b.test=~/kept/a.pem,~/project/out.key']);
  expect(result.ok && result.config.clientCertificates).toEqual([
    { host: { kind: 'one-label', name: 'corp.test' }, certificatePem: key(at('kept/a.pem')), keyPem: key(at('kept/a.key')) },
    { host: { kind: 'exact', name: 'api.test' }, certificatePem: key(at('tools/hidden/e.pem')), keyPem: key(at('tools/hidden/e.key')) },
    { host: { kind: 'exact', name: 'b.test' }, certificatePem: key(at('kept/a.pem')), keyPem: key(at('kept/a.key')) },
  ]);
});

test('without a workspace in the sandbox its files are out of sight', () => {
  expect(parse(['a.test=~/project/c.pem,~/project/c.key'], 'none').ok).toBe(true);
});

describe('what is refused, and why', () => {
  const move = 'move it to a directory the sandbox does not see, such as the runner\'s temporary one';
  test.each([
    ['a.test=~/project/c.pem,~/kept/a.key', `\`~/project/c.pem\` lies in \`~/project\`, where the sandbox could read it: ${move}`],
    ['a.test=~/kept/a.pem,~/kept/link.key', `\`~/kept/link.key\` lies in \`~/project\`, where the sandbox could read it: ${move}`],
    ['a.test=~/tools/d.pem,~/tools/d.key', `\`~/tools/d.pem\` lies in \`~/tools\`, where the sandbox could read it: ${move}`],
    ['a.test=/usr/bin/env,~/kept/a.key', expect.stringMatching(/^`\/usr\/bin\/env` lies in `\/usr`/)],
    ['a.test=~/kept/a.pem,~/kept/b.key', '`~/kept/a.pem` and `~/kept/b.key` do not belong together: give the certificate and its own key'],
    ['a.test=~/kept/a.key,~/kept/a.pem', '`~/kept/a.key` holds no certificate in PEM form: convert it with `openssl x509`'],
    ['a.test=~/kept/a.pem,~/kept/a.pem', '`~/kept/a.pem` holds no private key in PEM form: convert it with `openssl pkey`'],
    ['a.test=~/kept/locked.pem,~/kept/locked.key', 'the key in `~/kept/locked.key` is encrypted: write it without a passphrase, with `openssl pkey -in FILE -out FILE`'],
    ['a.test=~/kept/broken.pem,~/kept/a.key', expect.stringMatching(/^`~\/kept\/broken.pem` and `~\/kept\/a.key` cannot be used \(ERR_\w+\): check both/)],
    ['a.test=~/kept/no.pem,~/kept/a.key', 'cannot read `~/kept/no.pem` (ENOENT): give the path of a readable file'],
    ['a.test=~/kept/a.pem,~/kept', 'cannot read `~/kept` (EISDIR): give the path of a readable file'],
    ['*.com=~/kept/a.pem,~/kept/a.key', expect.stringContaining('`*.com` covers the public suffix `com`')],
    ['localhost=~/kept/a.pem,~/kept/a.key', expect.stringContaining('`localhost` is the sandbox itself')],
    ['a.test=~/kept/a.pem', 'line 1 is not `HOST=CERT_FILE,KEY_FILE`: write the host and the paths of two PEM files'],
  ])('%s', (line, problem) => {
    expect(problemsOf(line).map((text) => text.replace(/^client-certificates: /, ''))).toEqual([problem]);
  });

  test('a host given twice', () => {
    expect(problemsOf('a.test=~/kept/a.pem,~/kept/a.key', 'A.test=~/kept/b.pem,~/kept/b.key')).toEqual(['client-certificates: `A.test` is given twice: leave one line out']);
  });

  test('a key that was pasted is not quoted', () => {
    const pasted = key(at('kept/a.key')).trim().split('\n');
    const problems = problemsOf(...pasted);
    expect(problems).toHaveLength(pasted.length);
    for (const line of pasted.slice(1, -1)) expect(problems.join('\n')).not.toContain(line.slice(0, 16));
  });
});
