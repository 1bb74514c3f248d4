import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../src/report/report.ts';
import { runCli, runCliInDeletedDirectory } from './run-cli.ts';

let directory: string;
beforeEach(() => { directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'refused-'))); });
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));


describe('one sentence a problem, with the remedy, and exit code 125', () => {
  test.each<[string, string[], string[]]>([
    ['an option that is almost one', ['run', '--memry', '4g', '--', 'true'], ['`--memry` is not an option of `decoy run`: write `--memory`']],
    ['the first letters of one', ['run', '--audit=x', '--', 'true'], ['`--audit` is not an option of `decoy run`: write `--audit-log`']],
    ['an option like no other', ['run', '--frobnicate', '--', 'true'], ['`--frobnicate` is not an option of `decoy run`: see `decoy run --help` for those there are']],
    ['a short option', ['run', '-m', '4g', '--', 'true'], ['`-m` is not an option of `decoy run`: see `decoy run --help` for those there are']],
    ['a value that begins with a dash', ['run', '--memory', '-1', '--', 'true'], ['memory: `-1` is not a size: write a number and a unit, such as `512m` or `4g`']],
    ['no value', ['run', '--memory', '--pids', '100', '--', 'true'], ['`--memory` needs a value: write `--memory 4g`']],
    ['a value too many', ['run', '--quiet=yes', '--', 'true'], ['`--quiet` takes no value, but has `yes`: write only `--quiet`']],
    ['a value behind a flag', ['run', '--fail-on-blocked', 'true', '--quiet', 'No', '--', 'true'], ['`--fail-on-blocked` takes no value, but has `true`: write only `--fail-on-blocked`', '`--quiet` takes no value, but has `No`: leave it out']],
    ['variables as other files have them', ['run', '--env', 'A: b', '--env', '- B=c', '--env', 'export C=d', '--env', 'D = e', '--env', '1X=2', '--', 'true'], [
      'env: `A: b` has no value: write `A=value`', 'env: `- B` is not a variable name: write `B=value`, with nothing before it and no space',
      'env: `export C` is not a variable name: write `C=value`, with nothing before it and no space', 'env: `D ` is not a variable name: write `D=value`, with nothing before it and no space',
      'env: `1X` is not a variable name: use letters, digits and _, not starting with a digit',
    ]],
    ['two values', ['run', '--memory', '1g', '--memory', '2g', '--', 'true'], ['`--memory` is given as `1g` and as `2g`: give it once']],
    ['a command without `--`', ['run', 'echo', 'hi'], ['`echo` is not an option: put the command after `--`, as in `decoy run -- echo hi`']],
    ['no command', ['run'], ['run: nothing to run: give a command after `--`, as in `decoy run -- make test`, or a script with `--script FILE`']],
    ['a script that is not there', ['run', '--script', 'nope'], ['--script: cannot read `nope` (ENOENT): give the path of a readable file']],
    ['an option without its value', ['run', '--runtime', '--', 'true'], ['`--runtime` needs a value: write `--runtime runsc`']],
    ['an image that is none', ['run', '--image', 'a b', '--', 'true'], ['image: `a b` is not the reference of an image: write `runner`, or one like `debian:12`, `ghcr.io/owner/name:tag` or `name@sha256:…`, in lower case']],
    ['problems of every kind', ['run', '--memry', '4g', '--timeout', '2h', '--report', '/nonexistent/x', '--script', 'nope'], [
      '`--memry` is not an option of `decoy run`: write `--memory`',
      '--script: cannot read `nope` (ENOENT): give the path of a readable file',
      '--report: cannot write `/nonexistent/x` (ENOENT): make the directory `/nonexistent` first, or write another path',
      'timeout: `2h` is longer than the most of 30m: write `30m` or less',
    ]],
    ['an argument of demo', ['demo', 'foo'], ['`decoy demo` takes no arguments, but has `foo`: write only `decoy demo`']],
    ['an argument of doctor', ['doctor', 'foo'], ['`decoy doctor` takes only `--json` and `--runtime`, but has `foo`: write `decoy doctor`']],
    ['a runtime of doctor that is none', ['doctor', '--runtime', '/usr/bin/runsc'], ['`/usr/bin/runsc` is not the name of a runtime: write `runc`, `runsc`, or one that `docker info` lists']],
    ['an argument of clean', ['clean', 'foo'], ['`decoy clean` takes only options, but has `foo`: write `decoy clean`, or `decoy clean --run ID` for one run']],
    ['an option of clean', ['clean', '--imgaes'], ['`--imgaes` is not an option of `decoy clean`: write `--images`']],
    ['a run that cannot be', ['clean', '--run', 'nonsense'], ['--run: `nonsense` is not a run\'s id: write the 12 digits and letters of `id` in its report, or leave the option out']],
    ['a command that is almost one', ['rum'], ['`rum` is not a command: write `run`']],
    ['a command like no other', ['frobnicate'], ['`frobnicate` is not a command: use `run`, `demo`, `doctor`, `check`, `suggest`, `report`, `clean`, `volumes` or `snapshots`']],
  ])('%s', (_, args, problems) => {
    expect(runCli(args, { cwd: directory })).toEqual({ exitCode: 125, stdout: '', lines: problems.map((problem) => `decoy: ${problem}`) });
  });
});

test('what follows an unknown option may be a secret, and is not repeated', () => {
  const { exitCode, lines } = runCli(['run', '--secrets', 'KEY=hunter22', '--token=hunter22', '--', 'true'], { cwd: directory });
  expect({ exitCode, lines: lines.length }).toEqual({ exitCode: 125, lines: 2 });
  expect(lines.join()).not.toContain('hunter22');
});

test('a refused command line still leaves a report, and nothing of an earlier run beside it', () => {
  const file = (name: string) => path.join(directory, name);
  for (const name of ['report.json', 'audit.jsonl', 'changes.patch']) fs.writeFileSync(file(name), 'of an earlier run');
  const end = runCli(['run', '--memry', '4g', '--report', file('report.json'), '--audit-log', file('audit.jsonl'), '--patch', file('changes.patch'), '--', 'true'], { cwd: directory });
  expect(end.exitCode).toBe(125);
  const report = JSON.parse(fs.readFileSync(file('report.json'), 'utf8')) as Report;
  expect(report).toMatchObject({ conclusion: 'error', exitCode: 125, error: '`--memry` is not an option of `decoy run`: write `--memory`' });
  expect([file('audit.jsonl'), file('changes.patch')].map((name) => fs.readFileSync(name, 'utf8'))).toEqual(['', '']);
});

test('bytes that are not UTF-8 are refused, not changed', () => {
  const inShell = (line: string) => spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd: directory, env: { ...process.env, DOCKER_HOST: 'unix:///nonexistent', CLI: path.resolve('dist/cli.js') } });
  const argument = inShell(`node "$CLI" run --env A=$'\\xe9' -- printf %s plain`);
  expect(argument).toMatchObject({ status: 125, stderr: expect.stringMatching(/^decoy: argument 2 of `decoy run` has bytes that are not UTF-8, [^\n]*\n$/) as string });
  const script = inShell(`printf 'echo \\xe9' >latin1.sh; node "$CLI" run --script latin1.sh`);
  expect(script).toMatchObject({ status: 125, stderr: 'decoy: --script: `latin1.sh` is not UTF-8: save it as that\n' });
  // The control: the character that stands for such bytes may be meant.
  expect(inShell(`node "$CLI" run -- printf '\ufffd'`).stderr).not.toContain('UTF-8');
});

test('a current directory that was deleted', () => {
  expect(runCliInDeletedDirectory(['run', '--', 'true'])).toMatchObject({
    exitCode: 125, lines: ['decoy: workspace: the current directory does not exist any more: change to the project\'s own directory, or use `none`'],
  });
  expect(runCliInDeletedDirectory(['run', '--workspace', 'none', '--report', 'x', '--', 'true'])).toMatchObject({
    exitCode: 125, lines: ['decoy: --report: cannot write `x` (ENOENT): change to a directory that exists, or write an absolute path'],
  });
});
