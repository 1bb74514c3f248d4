import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const { stdout: usage } = runCli(['--help']);

test.each([
  [['-h']], [['help']], [['run', '--help']], [['run', '-h', '--', 'true']], [['run', '--memry', '--help']], [['check', '--help']], [['check', '-h']], [['clean', '--help']], [['demo', '--help']], [['report', '--help']],
])('%j', (args) => {
  expect(runCli(args)).toEqual({ exitCode: 0, stdout: usage, lines: [] });
});

test('what follows `--` is the command\'s', () => {
  expect(runCli(['run', '--workspace', 'nonsense', '--', 'make', '--help'])).toMatchObject({ exitCode: 125, stdout: '' });
});

test.each([
  'Standard input is empty', 'The workspace is the current directory', 'PATH', 'LANG', 'everything else by --env', '--fail-on-blocked', '--timings', '[METHOD] URL…', 'of a secret no value is needed',
])('says: %s', (text) => {
  expect(usage).toContain(text);
});
