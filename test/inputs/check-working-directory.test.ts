import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkWorkingDirectory } from '../../src/inputs/check-working-directory.ts';

let workspacePath: string;
beforeAll(() => {
  workspacePath = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'workspace-')));
  fs.mkdirSync(path.join(workspacePath, 'sub'));
  fs.writeFileSync(path.join(workspacePath, 'file'), '');
});
afterAll(() => fs.rmSync(workspacePath, { recursive: true, force: true }));

test('a directory of the workspace, relative or absolute', () => {
  for (const text of ['sub', './sub/', `${workspacePath}/sub`]) {
    expect(checkWorkingDirectory(text, { workspacePath })).toEqual({ ok: true, value: `${workspacePath}/sub` });
  }
  expect(checkWorkingDirectory('.', { workspacePath })).toEqual({ ok: true, value: workspacePath });
});

test('one outside of it may be there in the sandbox, and is not looked up', () => {
  expect(checkWorkingDirectory('/no/such/directory', { workspacePath })).toEqual({ ok: true, value: '/no/such/directory' });
  expect(checkWorkingDirectory('..', { workspacePath })).toEqual({ ok: true, value: path.dirname(workspacePath) });
  expect(checkWorkingDirectory('sub', { workspacePath: null })).toEqual({ ok: true, value: '/home/runner/sub' });
});

test('one that is not there, and what is none', () => {
  const problem = (text: string) => checkWorkingDirectory(text, { workspacePath });
  expect(problem('nope')).toEqual({ ok: false, problem: `\`nope\` does not exist in the workspace \`${workspacePath}\`: make it first, or write another` });
  expect(problem('file')).toEqual({ ok: false, problem: `\`file\` is not a directory in the workspace \`${workspacePath}\`: make it first, or write another` });
  expect(problem('file/x')).toEqual({ ok: false, problem: `\`file/x\` cannot be entered (ENOTDIR): write a directory of the workspace \`${workspacePath}\`` });
});
