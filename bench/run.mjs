// Every benchmark, one after the other: start-up, the proxy, the sandbox through the proxy, the scanner, event streams, connections, rules. `npm run bench`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const cli = path.join(here, '..', 'dist', 'cli.js');
const folder = mkdtempSync(path.join(tmpdir(), 'decoy-bench-'));
let failed = false;
const run = (...args) => {
  console.log(`\n# ${path.basename(args[0])}`);
  failed = spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0 || failed;
};
const common = { outdir: folder, bundle: true, platform: 'node', target: 'node20', logLevel: 'error' };
await build({ ...common, entryPoints: ['proxy', 'sandbox', 'scanner', 'streams', 'connections', 'rules'].map((name) => path.join(here, `${name}.ts`)), outExtension: { '.js': '.cjs' }, format: 'cjs' });
await build({ ...common, entryPoints: [path.join(here, 'sandbox-client.ts')], outExtension: { '.js': '.mjs' }, format: 'esm' });
run(path.join(here, 'start-up.mjs'));
run(path.join(folder, 'proxy.cjs'));
run(path.join(folder, 'sandbox.cjs'), cli, path.join(folder, 'sandbox-client.mjs'));
run(path.join(folder, 'scanner.cjs'));
run(path.join(folder, 'streams.cjs'));
run(path.join(folder, 'connections.cjs'));
run(path.join(folder, 'rules.cjs'));
rmSync(folder, { recursive: true });
process.exitCode = failed ? 1 : 0;
