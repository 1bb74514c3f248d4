import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const capped = fileOf('../src/tune-process.ts');

/** Keeps a million objects, a thousand a turn, as streams that stay open are, and says how many MiB V8's space for new ones has then. */
const keepObjects = (isCapped: boolean) => `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { capYoungGeneration } from ${JSON.stringify(capped)};
  if (${isCapped}) capYoungGeneration();
  const kept = [];
  for (let turn = 0; turn < 1_000; turn += 1) {
    for (let i = 0; i < 1_000; i += 1) kept.push({ number: i, list: [i] });
    await new Promise((done) => setImmediate(done));
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20, kept.length);
`;

test('what stays does not make the space for new objects grow beyond 8 MiB, as it else would', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'decoy-young-'));
  try {
    const sizes = await Promise.all([true, false].map(async (isCapped) => {
      const outfile = join(folder, `${isCapped}.mjs`);
      await build({ stdin: { contents: keepObjects(isCapped), resolveDir: folder }, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
      const { stdout } = await promisify(execFile)(process.execPath, [outfile], { timeout: 30_000 });
      return Number.parseFloat(stdout);
    }));
    expect(sizes[0]).toBeLessThanOrEqual(8);
    expect(sizes[1]).toBeGreaterThanOrEqual(16);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

function fileOf(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}
