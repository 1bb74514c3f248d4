import { describe, expect, test } from 'vitest';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { parseSecretBindings, parseSecretLines, parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import type { RawInputs } from '../../src/inputs/raw-inputs.ts';

const noSecrets = { secrets: [], problems: [] };
const GIB = 2 ** 30;
const parse = (raw: RawInputs, machine = { cpus: 4, memoryBytes: 16 * GIB }) =>
  parseInputs({ command: ['true'], workspace: 'none', ...raw }, { secrets: noSecrets, workspacePath: '/', homePath: '/root', machine });
const problemsOf = (raw: RawInputs) => {
  const result = parse(raw);
  return result.ok ? [] : result.problems;
};

test('nothing but a command gives the defaults of the contract', () => {
  const result = parse({});
  expect(result.ok && result.config).toMatchObject({
    command: { kind: 'argv', argv: ['true'] }, image: 'runner', rules: [], secrets: [], foreignCredentials: 'allow', resolve: [], user: 'runner', failOnBlocked: false,
    limits: { wallSeconds: 1800, memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30, pids: 2048 },
  });
});

describe('a bad value is quoted, with the remedy', () => {
  test.each<[RawInputs, string]>([
    [{ timeout: '31m' }, 'timeout: `31m` is longer than the most of 30m: write `30m` or less'],
    [{ timeout: '30' }, 'timeout: `30` has no unit: write `30m` for minutes or `30s` for seconds'],
    [{ memory: '4x' }, 'memory: `4x` is not a size: write a number and a unit, such as `512m` or `4g`'],
    [{ cpus: '0' }, 'cpus: `0` is out of range: write a number from 0.1 to 256'],
    [{ pids: '1.5' }, 'pids: `1.5` is not a whole number: write one such as `2048`'],
    [{ cpus: '4.5' }, 'cpus: `4.5` is more than this machine has, 4 CPUs: write `4` or less'],
    [{ user: 'admin' }, 'user: `admin` is not one of `runner`, `root`: write one of these'],
    [{ foreignCredentials: 'no' }, 'foreign-credentials: `no` is not one of `allow`, `strip`, `block`: write one of these'],
    [{ failOnBlocked: 'yes' }, 'fail-on-blocked: `yes` is not one of `true`, `false`: write one of these'],
    [{ workspace: 'all' }, 'workspace: `all` is not one of `copy`, `write`, `read-only`, `none`: write one of these'],
    [{ command: undefined }, 'run: nothing to run: give the script as `run:`'],
    [{ command: [] }, 'run: nothing to run: give a command after `--`, as in `decoy run -- make test`, or a script with `--script FILE`'],
    [{ run: 'x' }, 'run: both a script and a command are given: give one of them'],
    [{ command: [], run: 'x', shell: 'fish' }, 'run: the shell `fish` is not known: use `bash`, `sh`, `python`, `node`, or a command line with `{0}` for the script\'s path'],
    [{ env: ['1A=b'] }, 'env: `1A` is not a variable name: use letters, digits and _, not starting with a digit'],
    [{ env: ['NAME'] }, 'env: `NAME` has no value: write `NAME=value`'],
    [{ image: 'Debian:12' }, 'image: `Debian:12` is not the reference of an image: write `runner`, or one like `debian:12`, `ghcr.io/owner/name:tag` or `name@sha256:…`, in lower case'],
    [{ runtime: '/usr/bin/runsc' }, 'runtime: `/usr/bin/runsc` is not the name of a runtime: write `runc`, `runsc`, or one that `docker info` lists'],
    [{ mode: 'audit' }, 'mode: `audit` is not one of `enforce`, `observe`: write one of these'],
    [{ policy: 'p.yml' }, 'policy: `p.yml` was not read: read it with loadPolicy, and hand what that gives to parseInputs'],
    [{ volumes: ['a:/proc'] }, 'volumes: `a:/proc` would cover `/proc`, which is the sandbox\'s own: choose another path, such as `/cache`'],
    [{ snapshotTo: 'x', image: 'debian:12' }, 'snapshot-from, snapshot-to: where snapshots are recorded is not known: set HOME, or DECOY_SNAPSHOTS to an absolute path'],
    [{ workspace: 'copy' }, 'workspace: `/` is the whole file system, which the sandbox must not see: change to the project\'s own directory, or use `none`'],
  ])('%j', (raw, problem) => {
    expect(problemsOf(raw)).toEqual([problem]);
  });
});

test('an image is taken apart; which of its shells runs a script is known only when there is the image', () => {
  const configOf = (raw: RawInputs) => {
    const result = parse({ command: [], image: ' ghcr.io/owner/name:1 ', ...raw });
    return result.ok && result.config;
  };
  expect(configOf({ run: 'x' })).toMatchObject({
    image: { text: 'ghcr.io/owner/name:1', registry: 'ghcr.io', repository: 'owner/name', version: '1' },
    command: { shell: ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '/decoy/script'], fallbackShell: ['sh', '-e', '/decoy/script'] },
  });
  expect(configOf({ run: 'x', shell: 'python' })).toMatchObject({ command: { kind: 'script', text: 'x', shell: ['python3', '/decoy/script'] } });
  expect(configOf({ run: 'x', shell: 'bash' })).not.toHaveProperty('command.fallbackShell');
});

describe('what the machine has', () => {
  const one = { cpus: 1, memoryBytes: 2 * GIB };
  const limitsOf = (result: ReturnType<typeof parse>) => (result.ok ? result.config.limits : result.problems);

  test('the default is no more processors than there are', () => {
    expect(limitsOf(parse({}, one))).toMatchObject({ cpus: 1 });
    expect(limitsOf(parse({}))).toMatchObject({ cpus: 2 });
  });
  test('a number that was asked for is refused, not lowered', () => {
    expect(limitsOf(parse({ cpus: '2' }, one))).toEqual(['cpus: `2` is more than this machine has, 1 CPU: write `1` or less']);
    expect(limitsOf(parse({ cpus: '1' }, one))).toMatchObject({ cpus: 1 });
  });
  test('more memory than there is can be tried, with a warning', () => {
    const warningsOf = (result: ReturnType<typeof parse>) => (result.ok ? result.warnings : result.problems);
    expect(warningsOf(parse({ memory: '999g' }))).toEqual(['memory: `999g` is more than this machine has: write `16384m` or less, or the machine runs out before the cap is reached']);
    expect(warningsOf(parse({ memory: '16g' }))).toEqual([]);
    expect(warningsOf(parse({}, one))).toEqual([]);
  });
});

test('a variable may have any name, also one that every object has', () => {
  const result = parse({ env: ['__proto__=a', 'constructor=b=c', '__proto__=d'] });
  expect(result.ok && Object.entries(result.config.env)).toEqual([['__proto__', 'd'], ['constructor', 'b=c']]);
});

test('all problems are listed at once', () => {
  expect(problemsOf({ timeout: '2h', memory: '1', allow: ['https://x.example', '*.com'], env: ['x'] })).toHaveLength(5);
});

describe('secrets', () => {
  test('lines and heredocs', () => {
    const { secrets, problems } = parseSecretLines('# keys\nA@api.example.com=value-of-a\r\nB_2@x.example,y.example<<END\nvalue=of-b\nEND\n');
    expect(problems).toEqual([]);
    expect(secrets.map(({ name, hostTexts, value }) => [name, hostTexts, value])).toEqual([
      ['A', ['api.example.com'], 'value-of-a'], ['B_2', ['x.example', 'y.example'], 'value=of-b'],
    ]);
  });

  test.each([
    ['A=value-of-a', 'secret `A` is bound to no host'],
    ['A@=value-of-a', 'secret `A` is bound to no host'],
    ['A@*.com=value-of-a', 'secret `A`:'],
    ['A@127.0.0.1=value-of-a', 'secret `A`: `127.0.0.1` is the sandbox itself'],
    ['A@localhost=value-of-a', 'secret `A`: `localhost` is the sandbox itself'],
    ['A@api.example.com;in=headers:x=value-of-a', 'secret `A`: `headers:x` is not a place: write `credentials`, `header:NAME`, `query:KEY`, `path`, `body`, `body:FIELD`, `aws-sigv4`, `jwt` or `hmac-sha256:HEADER`'],
    ['A@api.example.com;in=path', 'secrets: line 1 ends with an option, and has no value: the first `=` behind the options begins it, as in `NAME@host;max=2=value`'],
    ['A@api.example.com;max=value-of-a', 'secrets: line 1 ends with an option, and has no value'],
    ['A@api.example.com;max==value-of-a', 'secret `A`: `;max=` has no number: write one, as in `;max=2`, or leave it out'],
    ['A@api.example.com;in==value-of-a', 'secret `A`: `;in=` names no place: write one or more, as in `;in=header:x-token`, or leave it out'],
    ['A@api.example.com;value-of-a', 'secrets: line 1 is not'],
    ['A@api.example.com;token=value-of-a', 'secrets: line 1 is not'],
    ['A@api.example.com;token=value-of-b=value-of-a', 'secret `A` has an option that is neither `;in=` nor `;max=`'],
    ['A@api.example.com;in=path;in=body=value-of-a', 'secret `A`: `;in=` is given twice: write it once'],
    ['A@api.example.com;in=path;max=0=value-of-a', 'secret `A`: max `0` is not a number of occurrences: write a whole number from 1 to 1000'],
    ['A@api.example.com;max=many=value-of-a', 'secret `A`: max `many` is not a number'],
    ['A;in=path', 'Secret `A;in` cannot be an environment variable'],
    ['A@api.example.com=short', 'A'],
    ['A@api.example.com<<EOF\nvalue-of-a', 'heredoc that never ends'],
    ['value-of-a', 'secrets: line 1 is not `NAME@host=value`'],
    ['- A@api.example.com=value-of-a', 'secrets: line 1 is an item of a list: write `NAME@host=value`, without the hyphen'],
    ['A@x.example=value-of-a\nA@y.example=value-of-b', 'secret `A` is given twice'],
  ])('%j is refused', (text, problem) => {
    const { problems } = parseSecretLines(text);
    expect(problems.join()).toContain(problem);
    // A problem goes into the log: it must never hold a value.
    expect(problems.join()).not.toMatch(/value-of|short\b.*=short/);
  });

  test('an option takes its value from the environment, never from the argument', () => {
    expect(parseSecretOptions(['A@x.example'], { A: 'value-of-a' }).secrets).toMatchObject([{ name: 'A', value: 'value-of-a' }]);
    expect(parseSecretOptions(['A@x.example'], {}).problems.join()).toContain('the environment variable A is not set');
    for (const name of ['__proto__', 'constructor', 'toString']) expect(parseSecretOptions([`${name}@x.example`], {}).problems).toEqual([`--secret \`${name}\`: the environment variable ${name} is not set; set it for Decoy itself`]);
    // All that is wrong at once, and nothing that may be a value.
    expect(parseSecretOptions(['A@*.com,https://x.example;max=0'], {}).problems).toEqual([
      '--secret `A`: the environment variable A is not set; set it for Decoy itself',
      'secret `A`: `*.com` covers the public suffix `com`, where anybody can have a name: write the names you need, or a wildcard further down such as `*.example.com`',
      'secret `A`: `https://x.example` has a scheme: write `x.example`',
      'secret `A`: max `0` is not a number of occurrences: write a whole number from 1 to 1000, as in `;max=2`',
    ]);
    expect(parseSecretOptions(['$A@x.example', '${A}@x.example'], {}).problems).toEqual(['$A', '${A}'].map((name) => `--secret \`${name}\`: the name of a variable stands without \`$\`: write \`A\``));
    for (const option of ['hunter22', 'ghp_hunter22', 'A:hunter22', 'hunter-22@x.example', 'A.hunter22@x.example']) {
      expect(parseSecretOptions([option], {}).problems.join(), option).toMatch(/^(?!.*hunter)--secret.*: write `NAME@api.example.com`, and set NAME for Decoy itself$/);
    }
    const { problems } = parseSecretOptions(['A@x.example=value-of-a'], { A: 'x' });
    expect(problems.join()).toContain('without a value');
    expect(problems.join()).not.toContain('value-of-a');
  });

  test('a binding is read without the value', () => {
    expect(parseSecretBindings(['A@x.example,*.y.example'])).toEqual({
      problems: [], bindings: [{ name: 'A', hosts: [{ kind: 'exact', name: 'x.example' }, { kind: 'one-label', name: 'y.example' }], hostTexts: ['x.example', '*.y.example'] }],
    });
    const { problems } = parseSecretBindings(['A@x.example=value-of-a', 'B', 'C@*.com']);
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('value-of-a');
  });
});
