import { describe, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const check = (...args: string[]) => runCli(['check', ...args]);

describe('one URL', () => {
  test.each<[string[], number, string]>([
    [['--allow', '**.example.com/v1/**', 'https://a.b.example.com/v1/x'], 0, 'allowed by **.example.com/v1/**'],
    [['--allow', 'GET a.example', 'POST', 'https://a.example/'], 1, 'blocked: method-not-allowed; add `POST a.example` to allow'],
    [['--secret', 'KEY@api.example', 'https://api.example/'], 0, 'allowed by secret KEY'],
    [['https://api.example/'], 1, 'blocked: host-not-allowed; add `api.example` to allow'],
    [['--allow', '10.0.0.1', 'https://10.0.0.1/'], 1,
      'blocked: private-address; `10.0.0.1` is one that is never dialled (private): add `10.0.0.1:443:10.0.0.1` to resolve to reach it nevertheless'],
    [['--allow', '169.254.169.254', 'http://169.254.169.254/latest'], 1,
      'blocked: private-address; `169.254.169.254` is one that is never dialled (metadata): add `169.254.169.254:80:169.254.169.254` to resolve to reach it nevertheless'],
    [['--allow', '10.0.0.1', '--resolve', '10.0.0.1:443:10.0.0.1', 'https://10.0.0.1/'], 0, 'allowed by 10.0.0.1'],
    [['--allow', '10.0.0.1', '--resolve', '10.0.0.1:8443:10.0.0.1', 'https://10.0.0.1/'], 1, 'blocked: private-address; `10.0.0.1` is one that is never dialled (private): add `10.0.0.1:443:10.0.0.1` to resolve to reach it nevertheless'],
    [['--allow', 'a.example', 'http://localhost:3000/'], 1,
      'blocked: host-not-allowed; `localhost` is the sandbox itself: to reach a service of the host, give it a name such as `service.internal` in allow, and `service.internal:443:127.0.0.1:8443` in resolve'],
    [['--allow', 'tcp://**.example.com:5432', 'tcp://DB.example.com:5432'], 0, 'allowed by tcp://**.example.com:5432'],
    [['--allow', 'db.example.com', 'tcp://db.example.com:5432'], 1, 'blocked: port-not-allowed; add `tcp://db.example.com:5432` to allow'],
    [['--allow', 'tcp://10.0.0.1:22', 'tcp://10.0.0.1:22'], 1,
      'blocked: private-address; `10.0.0.1` is one that is never dialled (private): add `10.0.0.1:22:10.0.0.1` to resolve to reach it nevertheless'],
  ])('%j', (args, exitCode, line) => {
    expect(check(...args)).toEqual({ exitCode, stdout: `${line}\n`, lines: [] });
  });
});

test('of several URLs each is judged in a line of its own, without query or password, and one blocked is enough to fail', () => {
  expect(check('--allow', 'a.example', 'post', 'https://a.example/x?key=hunter22', 'http://user:hunter22@b.example:81/')).toEqual({
    exitCode: 1, lines: [], stdout: 'POST https://a.example/x: allowed by a.example\nPOST http://b.example:81/: blocked: host-not-allowed; add `b.example:81` to allow\n',
  });
  expect(check('--allow', 'a.example', 'https://a.example/', 'http://a.example/').exitCode).toBe(0);
  expect(check('--allow', 'tcp://a.example:22', 'tcp://a.example:22', 'https://a.example:22/')).toMatchObject({
    exitCode: 1, stdout: 'tcp://a.example:22: allowed by tcp://a.example:22\nGET https://a.example:22/: blocked: port-not-allowed; add `a.example:22` to allow\n',
  });
});

test('everything that cannot be used is listed at once', () => {
  const { exitCode, stdout, lines } = check('--allow', '*.com', '--secret', 'KEY=hunter22', '--secret', 'OTHER', '--resolve', 'x', '--deny', 'x', 'ftp://a.example', 'nonsense');
  expect({ exitCode, stdout, lines: lines.length }).toEqual({ exitCode: 125, stdout: '', lines: 7 });
  expect(lines.join('\n')).not.toContain('hunter22');
  expect(check('--secret', 'KEY@a.example', '--allow', 'tcp://a.example:443', 'tcp://user:hunter22@a.example').lines).toEqual([
    'decoy: `tcp://…@a.example` is not a raw connection to check: write one such as `tcp://db.example.com:5432`',
    'decoy: allow: allow rule `tcp://a.example:443`: secret `KEY` is bound there, so that only HTTPS passes: remove the rule, or bind the secret to another host.',
  ]);
  expect(check().lines).toEqual(['decoy: nothing to check: write `decoy check --allow RULE https://host/path`']);
});
