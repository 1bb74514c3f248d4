import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';

/** How often a process begins to collect in steps while it reads 1 GiB into buffers, before the command starts and after. */
function countStepwise(): number[] {
  const { code } = transformSync(readFileSync('src/tune-process.ts', 'utf8'), { loader: 'ts' });
  const program = `
    import { tuneOnceStarted } from ${JSON.stringify(`data:text/javascript,${encodeURIComponent(code)}`)};
    const kept = [];
    const read = async () => {
      for (let piece = 0; piece < 1 << 14; piece += 1) {
        kept[piece % 512] = Buffer.alloc(1 << 16);
        if (piece % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const events = tuneOnceStarted({ onStage: (text, part) => console.log(part) });
    events.onStage('starting', 'prepare');
    await read();
    events.onStage('running the command', 'command');
    await read();
  `;
  const { stdout } = spawnSync(process.execPath, ['--trace-incremental-marking', '--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stdout.match(/^prepare$|^command$/gm)).toEqual(['prepare', 'command']);
  return stdout.split(/^command$/m).map((part) => part.match(/\[IncrementalMarking\] Start/g)?.length ?? 0);
}

test('garbage is collected in steps until the command starts, and at once from then on', () => {
  const [before, after] = countStepwise();
  expect(before).toBeGreaterThan(0);
  // One may have been begun before.
  expect(after).toBeLessThan(2);
});
