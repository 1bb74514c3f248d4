import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nodeProblem } from '../../src/cli-node-version.ts';

test.each([
  ['v18.20.8', 'Decoy needs Node 20 or newer, and this is v18.20.8: put a newer `node` first in PATH'],
  ['v9.11.2', 'Decoy needs Node 20 or newer, and this is v9.11.2: put a newer `node` first in PATH'],
  ['v20.0.0', null], ['v26.1.0', null], ['v100.0.0', null],
])('%s', (version, problem) => {
  expect(nodeProblem(version)).toBe(problem);
});

test('nothing that an older Node may not read is loaded before the version is looked at', () => {
  const source = readFileSync(new URL('../../src/cli.ts', import.meta.url), 'utf8');
  expect([...source.matchAll(/^import .* from '(.*)';$/gm)].map(([, name]) => name)).toEqual(['node:path', 'node:url', './cli-node-version.ts']);
});
