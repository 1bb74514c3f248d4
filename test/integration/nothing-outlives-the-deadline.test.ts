import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { footprint, processes, settled } from './support/footprint.ts';
import { startDecoy } from './support/run-decoy.ts';
import { openWorkspace } from './support/workspace.ts';

// I7, I13
test('a command that ignores signals and detaches its children is gone soon after its timeout', async () => {
  await using workspace = await openWorkspace();
  const mark = `mark-${randomBytes(8).toString('hex')}`;
  const running = startDecoy(['--quiet', '--timeout', '3s', '--', 'python3', 'probes/cling.py', mark], { cwd: workspace.path });
  await running.printed('clinging');
  // The control: while it runs, the host sees the command and its three grandchildren, besides Decoy itself.
  const seen = () => processes(mark).filter((pid) => pid !== running.pid);
  expect(await settled(() => (seen().length >= 4 ? [] : ['too few']), 2)).toEqual([]);
  const end = await running.ended;
  expect(end).toMatchObject({ exitCode: 124, report: { conclusion: 'timeout', exitCode: 124 } });
  expect(end.report!.wallSeconds).toBeGreaterThanOrEqual(3);
  // Ten seconds lie between SIGTERM and SIGKILL.
  expect(end.report!.wallSeconds).toBeLessThan(3 + 12);
  expect(processes(mark)).toEqual([]);
  expect(await settled(() => footprint(end.report!.id))).toEqual([]);
}, 60_000);
