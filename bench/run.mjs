// Every benchmark, one after the other: start-up, the proxy, the scanner. `npm run bench`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const folder = mkdtempSync(path.join(tmpdir(), 'decoy-bench-'));
let failed = false;
const run = (...args) => {
  console.log(`\n# ${path.basename(args[0])}`);
  failed = spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0 || failed;
};
await build({ entryPoints: ['proxy', 'scanner'].map((name) => path.join(here, `${name}.ts`)), outdir: folder, outExtension: { '.js': '.cjs' }, bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error' });
run(path.join(here, 'start-up.mjs'));
run(path.join(folder, 'proxy.cjs'));
run(path.join(folder, 'scanner.cjs'));
rmSync(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
