import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const { stdout: usage } = runCli(['--help']);

test.each([[['-h']], [['help']], [['help', 'help']]])('%j is all of it', (args) => {
  expect(runCli(args)).toEqual({ exitCode: 0, stdout: usage, lines: [] });
});

const VERBS = ['run', 'demo', 'doctor', 'check', 'report', 'suggest', 'clean', 'volumes', 'snapshots'];

test.each(VERBS)('decoy %s --help is what concerns it, and every line of that is in the whole page', (verb) => {
  const { exitCode, stdout, lines } = runCli([verb, '--help']);
  expect({ exitCode, lines }).toEqual({ exitCode: 0, lines: [] });
  expect(stdout).toMatch(new RegExp(`^  decoy ${verb} `));
  expect(usage.split('\n')).toEqual(expect.arrayContaining(stdout.split('\n')));
  for (const other of VERBS.filter((one) => one !== verb)) expect(stdout).not.toMatch(new RegExp(`^(  decoy ${other} |Options of ${other}$)`, 'm'));
  expect(runCli(['help', verb]).stdout).toBe(stdout);
});

test.each([[['run', '-h', '--', 'true']], [['run', '--memry', '--help']]])('%j is the help of run, whatever else is wrong', (args) => {
  expect(runCli(args)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Exit codes of run:'), lines: [] });
});

test('nothing of the page is of no verb', () => {
  const ofVerbs = VERBS.flatMap((verb) => runCli([verb, '--help']).stdout.split('\n'));
  expect(usage.split('\n').slice(2).filter((line) => !ofVerbs.includes(line))).toEqual(['  decoy --version                    its version']);
});

test('help of a verb that is none names the nearest', () => {
  expect(runCli(['help', 'chek'])).toMatchObject({ exitCode: 125, stdout: '', lines: [expect.stringContaining('write `check`')] });
});

test('what follows `--` is the command\'s', () => {
  expect(runCli(['run', '--workspace', 'nonsense', '--', 'make', '--help'])).toMatchObject({ exitCode: 125, stdout: '' });
});

test.each([
  'Standard input is empty', 'The workspace is the current directory', 'PATH', 'LANG', 'everything else by --env', '--fail-on-blocked', '--timings', '[METHOD] URL…', 'of a secret no value is needed',
])('says: %s', (text) => {
  expect(usage).toContain(text);
});
