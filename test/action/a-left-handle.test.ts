import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { actionDirectory } from './action-file.ts';

test('what is left open does not keep a step from ending, with all it says and its exit code', () => {
  // Runs first, and would keep the process alive for ever. The action's script lets no such option in, so without it.
  const leave = 'data:text/javascript,setInterval(() => {}, 1e6)';
  const { status, stdout } = spawnSync(process.execPath, [`--import=${leave}`, path.join(actionDirectory, 'dist/action.js'), 'nonsense'], { encoding: 'utf8', timeout: 30_000 });
  expect({ status, stdout }).toEqual({ status: 125, stdout: '::error::"nonsense" is not a step of this action: use plan-volumes, run or report-and-clean\n' });
});
