#!/usr/bin/env node
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './cli-node-version.ts';

const FAILED = 125;

const problem = nodeProblem(process.version);
if (problem === null) {
  // Loaded only now: an older Node cannot even read it.
  const [{ main }, { endProcess }] = await Promise.all([import('./cli-main.ts'), import('./end-process.ts')]);
  await endProcess(await main(process.argv.slice(2), { distDirectory: path.dirname(fileURLToPath(import.meta.url)) }));
} else {
  process.stderr.write(`decoy: ${problem}\n`);
  process.exitCode = FAILED;
}
