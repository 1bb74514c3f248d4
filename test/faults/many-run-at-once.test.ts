import { afterAll, beforeAll, expect, test } from 'vitest';
import { docker } from '../integration/guest-image.ts';
import { footprint, orphanedLoopDevices, settled } from '../integration/support/footprint.ts';
import { startDecoy } from '../integration/support/run-decoy.ts';
import { openWorkspace, type Workspace } from '../integration/support/workspace.ts';

// I13
let workspace: Workspace;
beforeAll(async () => { workspace = await openWorkspace(); });
afterAll(() => workspace[Symbol.asyncDispose]());

/** docs/faults.md has what fifty did. */
const COUNT = 12;

test('sandboxes that are all there at once keep apart, and all of them end well', async () => {
  const runs = Array.from({ length: COUNT }, (_, number) => startDecoy(
    ['--quiet', '--storage', '64m', '--memory', '64m', '--', 'sh', '-c', `echo ${number} > own; echo ready; while [ ! -e /tmp/go ]; do sleep 0.5; done; cat own`], { cwd: workspace.path },
  ));
  await Promise.all(runs.map((run) => run.printed('ready')));
  // They are all there: each is let go from without.
  for (const { pid } of runs) {
    const sandbox = (await docker(['ps', '-q', '--filter', `label=decoy.pid=${pid}`, '--filter', 'name=-sandbox'])).stdout.trim();
    expect((await docker(['exec', sandbox, 'touch', '/tmp/go'])).code).toBe(0);
  }
  const ends = await Promise.all(runs.map(({ ended }) => ended));
  for (const [number, end] of ends.entries()) {
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stdout: `ready\n${number}\n`, report: { conclusion: 'success' } });
    expect(end.patch).toContain(`+${number}\n`);
  }
  expect(await settled(async () => (await Promise.all(ends.map(({ report }) => footprint(report!.id)))).flat())).toEqual([]);
  expect(await settled(orphanedLoopDevices)).toEqual([]);
}, 180_000);
