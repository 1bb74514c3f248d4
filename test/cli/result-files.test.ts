import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openResultFiles, writeResultFile } from '../../src/cli-result-files.ts';

let directory: string;
beforeEach(() => { directory = fs.mkdtempSync(path.join(os.tmpdir(), 'results-')); });
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const inside = (name: string) => path.join(directory, name);

test('files that can be written are made, and those of an earlier run emptied', () => {
  fs.writeFileSync(inside('report.json'), 'of an earlier run');
  const files = { report: inside('report.json'), 'audit-log': inside('audit.jsonl'), patch: inside('changes.patch') };
  expect(openResultFiles(files)).toEqual({ report: inside('report.json'), problems: [] });
  expect(Object.values(files).map((file) => fs.readFileSync(file, 'utf8'))).toEqual(['', '', '']);
});

describe('what cannot be written is said for each', () => {
  test('no directory, a directory, no path, a file for a directory', () => {
    fs.writeFileSync(inside('file'), 'kept');
    expect(openResultFiles({ report: inside('no/report.json'), 'audit-log': directory, patch: '' })).toEqual({ report: undefined, problems: [
      `--report: cannot write \`${inside('no/report.json')}\` (ENOENT): make the directory \`${inside('no')}\` first, or write another path`,
      `--audit-log: \`${directory}\` is a directory: write the path of a file in it, such as \`${inside('FILE')}\``,
      '--patch: `` is not a path: write that of a file, or leave the option out',
    ] });
    expect(openResultFiles({ patch: inside('file/changes.patch') }).problems).toEqual([
      `--patch: cannot write \`${inside('file/changes.patch')}\` (ENOTDIR): write the path of a file that this user may write`,
    ]);
    expect(fs.readFileSync(inside('file'), 'utf8')).toBe('kept');
  });

  test.each([
    ['one that is there', true, 'same'], ['one that is not', false, 'same'], ['one under two spellings', false, './same'],
  ])('two results in one file: %s', (_, exists, spelling) => {
    if (exists) fs.writeFileSync(inside('same'), 'x');
    const patch = `${directory}/${spelling}`;
    expect(openResultFiles({ report: inside('same'), patch })).toEqual({
      report: inside('same'), problems: [`--patch: \`${patch}\` is also the file of \`--report\`: give each a file of its own`],
    });
  });

  test('the script itself', () => {
    fs.writeFileSync(inside('script'), 'echo');
    fs.symlinkSync('script', inside('link'));
    expect(openResultFiles({ script: inside('script'), patch: inside('link') }).problems).toEqual([
      `--patch: \`${inside('link')}\` is also the file of \`--script\`: give each a file of its own`,
    ]);
    expect(fs.readFileSync(inside('script'), 'utf8')).toBe('echo');
  });
});

test('a device may be given twice', () => {
  expect(openResultFiles({ report: '/dev/null', patch: '/dev/null' }).problems).toEqual([]);
});

test('a named pipe is neither opened nor waited for', () => {
  expect(spawnSync('mkfifo', [inside('pipe')]).status).toBe(0);
  expect(openResultFiles({ 'audit-log': inside('pipe') }).problems).toEqual([]);
});

test('a file that went away during the run is an error in a sentence', () => {
  expect(writeResultFile('report', { file: inside('gone/report.json'), content: '{}' })).toEqual([
    `--report: cannot write \`${inside('gone/report.json')}\` (ENOENT): make the directory \`${inside('gone')}\` first, or write another path`,
  ]);
  expect(writeResultFile('patch', { file: inside('changes.patch'), content: 'x' })).toEqual([]);
  expect(fs.readFileSync(inside('changes.patch'), 'utf8')).toBe('x');
});
