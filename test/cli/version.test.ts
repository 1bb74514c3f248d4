import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string };

test.each([['--version'], ['-V'], ['version']])('%s is that of package.json', (argument) => {
  expect(runCli([argument])).toEqual({ exitCode: 0, stdout: `decoy ${version}\n`, lines: [] });
});
