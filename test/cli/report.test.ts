import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { renderAuditLine } from '../../src/report/render-audit-line.ts';
import { sampleEntries, samplePatch, sampleReport } from '../report-page/page-samples.ts';
import { runCli } from './run-cli.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'report-'));
  const entries = sampleEntries(10);
  fs.writeFileSync(path.join(directory, 'report.json'), JSON.stringify(sampleReport(entries)));
  fs.writeFileSync(path.join(directory, 'audit.jsonl'), entries.map(renderAuditLine).join(''));
  fs.writeFileSync(path.join(directory, 'changes.patch'), samplePatch);
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const report = (...args: string[]) => runCli(['report', ...args], { cwd: directory });
const read = (name: string) => fs.readFileSync(path.join(directory, name), 'utf8');

test('the page is written beside the report, and its path is said', () => {
  const file = path.join(fs.realpathSync(directory), 'report.html');
  expect(report('report.json', 'audit.jsonl', '--patch', 'changes.patch')).toEqual({ exitCode: 0, stdout: `${file}\n`, lines: [] });
  expect(read('report.html')).toMatch(/^<!doctype html>/);
  expect(read('report.html'), 'the licence of the charts is in it').toContain('Permission is hereby granted, free of charge');
});

test('or where --output says', () => {
  expect(report('report.json', '--output', 'page.html').exitCode).toBe(0);
  expect(fs.existsSync(path.join(directory, 'page.html'))).toBe(true);
});

test.each([
  [[], ['no report: write `decoy report report.json audit.jsonl`']],
  [['gone.json'], ['cannot read `gone.json` (ENOENT): give the path of a readable file']],
  [['audit.jsonl', 'gone.jsonl'], ['`audit.jsonl` is not JSON: give the report.json of a run that has ended']],
  [['report.json', 'gone.jsonl', '--patch', 'gone.patch'], ['cannot read `gone.jsonl` (ENOENT): give the path of a readable file', 'cannot read `gone.patch` (ENOENT): give the path of a readable file']],
  [['report.json', 'audit.jsonl', 'changes.patch'], ['`changes.patch` is one file too many: write `decoy report report.json audit.jsonl`, and the patch as `--patch FILE`']],
  [['report.json', '--output', './report.json'], ['--output: `./report.json` is a file that is read: write another path']],
  [['report.json', '--output', 'no/page.html'], ['cannot write `no/page.html` (ENOENT): make the directory `no` first, or write another path']],
  [['report.json', '--ouput', 'x'], ['`--ouput` is not an option of `decoy report`: write `--output`']],
])('%j is refused', (args, lines) => {
  const before = read('report.json');
  expect(report(...args)).toEqual({ exitCode: 125, stdout: '', lines: lines.map((line) => `decoy: ${line}`) });
  expect(read('report.json')).toBe(before);
});
