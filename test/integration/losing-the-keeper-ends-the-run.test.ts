import { expect, test } from 'vitest';
import { docker } from './guest-image.ts';
import { footprint, settled } from './support/footprint.ts';
import { startDecoy } from './support/run-decoy.ts';
import { openWorkspace } from './support/workspace.ts';

// I14
test('killing the keeper ends the run as an error that names it: its disk could be neither measured nor read', async () => {
  await using workspace = await openWorkspace();
  const running = startDecoy(['--quiet', '--timeout', '30s', '--', 'sh', '-c', 'echo written > file; echo ready; sleep 60'], { cwd: workspace.path });
  await running.printed('ready');
  const [id = ''] = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${running.pid}`, '--filter', 'name=-keeper'])).stdout.split('\n');
  expect((await docker(['kill', '--signal', 'KILL', id])).code).toBe(0);
  const end = await running.ended;
  expect(end, end.stderr).toMatchObject({ exitCode: 125, report: { conclusion: 'error' } });
  expect(end.report!.error).toContain('keeper');
  expect(end.wallSeconds).toBeLessThan(20);
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);
