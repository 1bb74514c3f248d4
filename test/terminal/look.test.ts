import { expect, test } from 'vitest';
import { wantsColour, wantsStatus } from '../../src/terminal/look.ts';

test.each([
  [{ isTTY: true }, { TERM: 'xterm' }, true], [{}, { TERM: 'xterm' }, false], [{ isTTY: true }, { TERM: 'dumb' }, false], [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }, false],
  [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '' }, true], [{}, { FORCE_COLOR: '1' }, true], [{}, { FORCE_COLOR: 'true', NO_COLOR: '1', TERM: 'dumb' }, true], [{ isTTY: true }, { TERM: 'xterm', FORCE_COLOR: '0' }, false],
  [{}, { FORCE_COLOR: '' }, false],
])('colour on %j with %j: %j', (stream, environment, colour) => {
  expect(wantsColour(stream, environment)).toBe(colour);
});

test.each([
  [true, false, { TERM: 'xterm' }, true], [false, false, { TERM: 'xterm' }, false], [true, true, { TERM: 'xterm' }, false], [true, false, { TERM: 'dumb' }, false], [true, false, {}, false], [true, false, { TERM: '' }, false],
  [true, false, { TERM: 'xterm', CI: 'true' }, false], [true, false, { TERM: 'xterm', CI: '1' }, false], [true, false, { TERM: 'xterm', CI: 'false' }, true], [true, false, { TERM: 'xterm', CI: '' }, true], [true, false, { TERM: 'xterm', GITHUB_ACTIONS: 'true' }, false],
  [true, false, { TERM: 'xterm', NO_COLOR: '1' }, true], [false, false, { TERM: 'xterm', FORCE_COLOR: '1' }, false],
])('status where standard error is a terminal: %j, standard output goes elsewhere: %j, with %j: %j', (isTTY, isPipe, environment, status) => {
  expect(wantsStatus({ stdout: { isPipe }, stderr: { isTTY } }, environment)).toBe(status);
});
