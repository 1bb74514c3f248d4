import { describe, expect, test } from 'vitest';
import { parseInputs } from '../../src/inputs/parse-inputs.ts';
import { parseSecretLines, parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import type { RawInputs } from '../../src/inputs/raw-inputs.ts';

const noSecrets = { secrets: [], problems: [] };
const parse = (raw: RawInputs, secrets = noSecrets as ReturnType<typeof parseSecretLines>) =>
  parseInputs({ command: ['true'], workspace: 'none', ...raw }, { secrets, workspacePath: '/', homePath: '/root' });
const problemsOf = (raw: RawInputs) => {
  const result = parse(raw);
  return result.ok ? [] : result.problems;
};

test('nothing but a command gives the defaults of the contract', () => {
  const result = parse({});
  expect(result.ok && result.config).toMatchObject({
    command: { kind: 'argv', argv: ['true'] }, image: 'runner', rules: [], secrets: [], resolve: [], user: 'runner', failOnBlocked: false,
    limits: { wallSeconds: 1800, memoryBytes: 4 * 2 ** 30, cpus: 2, storageBytes: 10 * 2 ** 30, pids: 2048 },
  });
});

describe('a bad value is quoted, with the remedy', () => {
  test.each<[RawInputs, string]>([
    [{ timeout: '31m' }, 'timeout: `31m` is longer than the most of 30m: write `30m` or less'],
    [{ timeout: '30' }, 'timeout: `30` has no unit: write `30m` for minutes or `30s` for seconds'],
    [{ memory: '4x' }, 'memory: `4x` is not a size: write a number and a unit, such as `512m` or `4g`'],
    [{ cpus: '0' }, 'cpus: `0` is out of range: write a number from 0.1 to 256'],
    [{ pids: '1.5' }, 'pids: `1.5` is not a whole number: write one such as `2`'],
    [{ user: 'admin' }, 'user: `admin` is not one of `runner`, `root`'],
    [{ failOnBlocked: 'yes' }, 'fail-on-blocked: `yes` is not one of `true`, `false`'],
    [{ command: [] }, 'run: nothing to run: give the script as `run:`, or a command after `--`'],
    [{ run: 'x' }, 'run: both a script and a command are given: give one of them'],
    [{ command: [], run: 'x', shell: 'fish' }, 'run: the shell `fish` is not known: use `bash`, `sh`, `python`, `node`, or a command line with `{0}` for the script\'s path'],
    [{ env: ['1A=b'] }, 'env: `1A` is not a variable name: use letters, digits and _, not starting with a digit'],
    [{ env: ['NAME'] }, 'env: `NAME` has no value: write `NAME=value`'],
    [{ image: 'debian:12' }, 'image: `debian:12` is not supported yet: use `runner`'],
    [{ runtime: 'runsc' }, 'runtime: `runsc` is not supported yet: use `runc`'],
    [{ mode: 'observe' }, 'mode: `observe` is not supported yet: use `enforce`'],
    [{ policy: 'p.yml' }, 'policy: `p.yml` is not supported yet: leave it out'],
    [{ volumes: ['a:/b'] }, 'volumes: `a:/b` is not supported yet: leave it out'],
    [{ snapshotTo: 'x' }, 'snapshot-to: `x` is not supported yet: leave it out'],
    [{ workspace: 'copy' }, 'workspace: `/` holds or is `/root`, which the sandbox must not see: change to the project\'s own directory, or use `none`'],
  ])('%j', (raw, problem) => {
    expect(problemsOf(raw)).toEqual([problem]);
  });
});

test('workspace: write is refused as not supported yet', () => {
  expect(problemsOf({ workspace: 'write' })[0]).toBe('workspace: `write` is not supported yet: use `copy` and apply the patch it gives');
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
    ['A@api.example.com;in=header:x=value-of-a', 'pinned places'],
    ['A@api.example.com=short', 'A'],
    ['A@api.example.com<<EOF\nvalue-of-a', 'heredoc that never ends'],
    ['value-of-a', 'secrets: line 1 is not `NAME@host=value`'],
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
    const { problems } = parseSecretOptions(['A@x.example=value-of-a'], { A: 'x' });
    expect(problems.join()).toContain('without a value');
    expect(problems.join()).not.toContain('value-of-a');
  });
});
