import { describe, expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const check = (...args: string[]) => runCli(['check', ...args]);

test('a line of resolve that nothing leads to is warned of, beside the verdict', () => {
  const resolve = ['--allow', '10.0.0.1', '--resolve', '10.0.0.1:8443:10.0.0.1'];
  expect(check(...resolve, 'https://10.0.0.1/')).toEqual({
    exitCode: 1,
    stdout: 'blocked: private-address; `10.0.0.1` is one that is never dialled (private): add `10.0.0.1:443:10.0.0.1` to resolve to reach it nevertheless\n',
    lines: ['decoy: warning: resolve: resolve `10.0.0.1:8443` changes nothing, since no rule lets anything through to it: add `10.0.0.1:8443` to allow, or `tcp://10.0.0.1:8443` where it is not HTTP.'],
  });
  expect(check(...resolve, '--secret', 'KEY@a.example', '--resolve', 'a.example:443:10.0.0.5', '--allow', '10.0.0.1:8443', 'https://a.example/').lines).toEqual([]);
});

describe('one URL', () => {
  test.each<[string[], number, string]>([
    [['--allow', '**.example.com/v1/**', 'https://a.b.example.com/v1/x'], 0, 'allowed by **.example.com/v1/**'],
    [['--allow', 'GET a.example', 'POST', 'https://a.example/'], 1, 'blocked: method-not-allowed; add `POST a.example` to allow'],
    [['--secret', 'KEY@api.example;in=aws-sigv4', 'https://api.example/'], 0, 'allowed by secret KEY\n  secret `KEY` makes signatures again that its placeholder made: `aws-sigv4`'],
    [['--secret', 'KEY@api.example;in=path,jwt', 'https://api.example/'], 0, 'allowed by secret KEY\n  secret `KEY` is swapped in `path`, once in each; makes signatures again that its placeholder made: `jwt`'],
    [['--secret', 'KEY@api.example', 'https://api.example/'], 0, 'allowed by secret KEY\n  secret `KEY` is swapped in credential headers such as `authorization` and `x-api-key`'],
    [['--allow', 'a.example', 'get', 'https://a.example/'], 1, 'blocked: bad-request; methods are case-sensitive, and `get` is not `GET`: send `GET`'],
    [['--allow', 'a.example', 'FETCH', 'https://a.example/'], 1, 'blocked: bad-request; `FETCH` is not a method of HTTP: send one such as `GET` or `POST`'],
    [['--allow', 'a.example', 'M-SEARCH', 'https://a.example/'], 0, 'allowed by a.example'],
    [['--allow', 'a.example', 'CONNECT', 'https://a.example/'], 1, 'blocked: unsupported-protocol; CONNECT is not needed: connect to the destination itself, Decoy is on the way.'],
    [['https://api.example/'], 1, 'blocked: host-not-allowed; add `api.example` to allow'],
    [['--allow', '10.0.0.1', 'https://10.0.0.1/'], 1,
      'blocked: private-address; `10.0.0.1` is one that is never dialled (private): add `10.0.0.1:443:10.0.0.1` to resolve to reach it nevertheless'],
    [['--allow', '169.254.169.254', 'http://169.254.169.254/latest'], 1,
      'blocked: private-address; `169.254.169.254` is one that is never dialled (metadata): add `169.254.169.254:80:169.254.169.254` to resolve to reach it nevertheless'],
    [['--allow', '10.0.0.1', '--resolve', '10.0.0.1:443:10.0.0.1', 'https://10.0.0.1/'], 0, 'allowed by 10.0.0.1'],
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
  expect(check('--allow', 'a.example', 'POST', 'https://a.example/x?key=hunter22', 'http://user:hunter22@b.example:81/')).toEqual({
    exitCode: 1, lines: [], stdout: 'POST https://a.example/x: allowed by a.example\nPOST http://b.example:81/: blocked: host-not-allowed; add `b.example:81` to allow\n',
  });
  expect(check('--allow', 'a.example', 'https://a.example/', 'http://a.example/').exitCode).toBe(0);
  expect(check('--allow', 'tcp://a.example:22', 'tcp://a.example:22', 'https://a.example:22/')).toMatchObject({
    exitCode: 1, stdout: 'tcp://a.example:22: allowed by tcp://a.example:22\nGET https://a.example:22/: blocked: port-not-allowed; the rule `tcp://a.example:22` lets only raw TCP through there: for HTTP, write `a.example:22` in its place\n',
  });
});

describe('below an allowed URL, what happens to each secret there', () => {
  const A = ['--secret', 'A@a.example;in=header:X-Token,path,credentials;max=2'];
  const B = ['--secret', 'B@b.example,*.b.example;in=body:auth.token'];
  const inA = 'secret `A` is swapped in `header:x-token`, `path`, credential headers such as `authorization` and `x-api-key`, at most 2 times in each';
  const notBound = (name: string) => `secret \`${name}\` is not bound to this host, and its placeholder is blocked: placeholder-wrong-host`;
  test.each<[string[], string[]]>([
    [[...A, ...B, 'https://a.example/'], [inA, notBound('B')]],
    [[...A, ...B, 'POST', 'https://x.b.example/'], [notBound('A'), 'secret `B` is swapped in `body:auth.token`, once in each']],
    [[...A, 'TRACE', 'https://a.example/'], ['secret `A` is not swapped: method-carries-no-secret; A server answers `TRACE` with the request itself, so it carries no secret: use another method.']],
    [[...A, '--allow', 'a.example:8080', 'http://a.example:8080/'], ['secret `A` is not swapped: placeholder-without-tls; Secret `A` is sent over TLS only: use `https://a.example:8080`.']],
    [[...A, '--foreign-credentials', 'block', '--allow', 'tcp://a.example:22', 'tcp://a.example:22'], [
      'secret `A` is not swapped: placeholder-wrong-place; Secret `A` is swapped in HTTP requests over TLS and never in a raw TCP connection: give the program a credential of its own for `tcp://a.example:22`.',
    ]],
    [[...A, '--foreign-credentials', 'block', 'https://a.example/'], [inA, 'other credentials in credential headers, and in headers a secret is pinned to, are blocked: foreign-credential']],
    [[...A, '--foreign-credentials', 'strip', 'https://a.example/'], [inA, 'other credentials in credential headers, and in headers a secret is pinned to, are left out']],
    [[...A, '--foreign-credentials', 'allow', 'https://a.example/'], [inA, 'other credentials are let through']],
    [[...A, '--foreign-credentials', 'block', '--allow', 'c.example', 'https://c.example/'], [notBound('A')]],
  ])('%j', (args, lines) => {
    const { exitCode, stdout } = check(...args);
    expect({ exitCode, lines: stdout.split('\n').slice(1, -1) }).toEqual({ exitCode: 0, lines: lines.map((line) => `  ${line}`) });
  });

  test('where it is blocked, nothing', () => {
    expect(check(...A, 'http://a.example/').stdout).toBe('blocked: port-not-allowed; secret `A` is bound to this host and goes over TLS only: use `https://a.example` instead of plain HTTP\n');
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
  expect(check('--foreign-credentials', 'deny', '--secret', 'A@a.example', '--secret', 'A@b.example', 'https://a.example').lines).toEqual([
    'decoy: foreign-credentials: `deny` is not one of `allow`, `strip`, `block`: write one of these',
    'decoy: secret `A` is given twice: name its hosts in one line, separated by commas',
  ]);
  expect(check('--allow', 'a.example', 'a.example', 'a.example:8443/x?key=hunter22', 'wss://a.example/x', 'https://a.example:99999', 'GET,POST').lines).toEqual([
    'decoy: `a.example` is not a URL to check: write `https://a.example`', 'decoy: `a.example:8443/x?…` is not a URL to check: write `https://a.example:8443/x?…`',
    'decoy: `wss://a.example/x` is not a URL to check: write `https://a.example/x`',
    'decoy: `https://a.example:99999` is not a URL to check: write one such as `https://api.example.com/v1/models`, with a port of at most 65535',
    'decoy: `GET,POST` is not a URL to check: write one method, and a URL behind it, as in `POST https://api.example.com/v1/models`',
  ]);
  expect(check().lines).toEqual(['decoy: nothing to check: write `decoy check --allow RULE https://host/path`']);
});
