import { expect, test } from 'vitest';
import { runCli } from './run-cli.ts';

/** A module that runs first, and leaves something open that would keep the process alive for ever. */
const env = { NODE_OPTIONS: '--import="data:text/javascript,setInterval(() => {}, 1e6)"' };

test.each([[['--help'], 0], [['nonsense'], 125], [['run'], 125]])('what is left open does not keep %j from ending, with all it says and its exit code %i', (args, exitCode) => {
  const end = runCli(args, { env });
  expect(end).toEqual(runCli(args));
  expect(end.exitCode).toBe(exitCode);
  expect(end.stdout + end.lines.join('')).not.toBe('');
});
