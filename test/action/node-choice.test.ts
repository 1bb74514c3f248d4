import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { actionDirectory } from './action-file.ts';

const SCRIPT = path.join(actionDirectory, 'scripts', 'action-node.sh');
let root: string;
beforeEach(() => { root = fs.mkdtempSync(path.join(os.tmpdir(), 'decoy-node-')); });
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

test.each([
  { layout: 'the newest of the runner\'s own', bin: 'bin', externals: 'externals', nodes: ['node20', 'node24', 'node24_alpine', 'node9'], chosen: 'node24' },
  { layout: 'a runner that has updated itself', bin: 'bin.2.330.0', externals: 'externals.2.330.0', nodes: ['node20'], chosen: 'node20' },
  { layout: 'only too old ones: that in PATH', bin: 'bin', externals: 'externals', nodes: ['node16', 'node20_alpine'], chosen: 'path' },
])('takes $layout', ({ bin, externals, nodes, chosen }) => {
  for (const name of nodes) writeNode(path.join(root, externals, name, 'bin', 'node'), { name, version: `v${/\d+/.exec(name)?.[0]}.1.0` });
  writeNode(path.join(root, 'path', 'node'), { name: 'path', version: 'v20.0.0' });
  const { status, stdout } = underRunner({ bin, pathDirectory: path.join(root, 'path') });
  expect({ status, stdout }).toEqual({ status: 42, stdout: `${chosen}: ${path.join(actionDirectory, 'dist', 'action.js')} run; options none\n` });
});

test('says so when there is none, and when the only one is too old', () => {
  const none = underRunner({ bin: 'bin', pathDirectory: path.join(root, 'none') });
  expect(none.status).toBe(125);
  expect(none.stderr).toMatch(/^::error::Decoy needs Node 20 or newer, and neither the runner nor PATH has it: add actions\/setup-node/);
  writeNode(path.join(root, 'path', 'node'), { name: 'path', version: 'v18.20.1' });
  const old = underRunner({ bin: 'bin', pathDirectory: path.join(root, 'path') });
  expect(old.status).toBe(125);
  expect(old.stderr).toContain('path/node is v18.20.1: add actions/setup-node');
});

/** A shell under the name of the runner's worker, which starts the step as its child. */
function underRunner({ bin, pathDirectory }: { bin: string; pathDirectory: string }) {
  const worker = path.join(root, bin, 'Runner.Worker');
  fs.mkdirSync(path.dirname(worker), { recursive: true });
  fs.copyFileSync('/bin/bash', worker);
  const tools = path.join(root, 'tools');
  fs.mkdirSync(tools, { recursive: true });
  for (const name of ['uname', 'readlink', 'cat', 'dirname', 'bash']) {
    fs.rmSync(path.join(tools, name), { force: true });
    fs.symlinkSync(fs.existsSync(`/usr/bin/${name}`) ? `/usr/bin/${name}` : `/bin/${name}`, path.join(tools, name));
  }
  const env = { PATH: `${pathDirectory}:${tools}`, NODE_OPTIONS: '--require ./evil.js' };
  return spawnSync(worker, ['--norc', '-c', 'bash --norc "$0" run; exit $?', SCRIPT], { encoding: 'utf8', env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

function writeNode(file: string, { name, version }: { name: string; version: string }): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; exit; fi\necho "${name}: $*; options \${NODE_OPTIONS:-none}"\nexit 42\n`;
  fs.writeFileSync(file, script, { mode: 0o755 });
}
