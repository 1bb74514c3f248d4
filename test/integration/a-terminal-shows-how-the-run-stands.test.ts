import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startOnTerminal, type TerminalOptions } from '../terminal/on-a-terminal.ts';
import { openWorkspace } from './support/workspace.ts';

// I10, on a terminal.
const program = path.resolve(import.meta.dirname, '../../dist/cli.js');
const STATUS = /^decoy {2}\d+ s of 30 min {2}\d\.\d of 2 CPUs {2}memory [\d.]+ \w+ of 4 GiB {2}.*\d+ requests? {2}\d+ blocked$/;

const decoy = (script: string, options: string[] = []) => [process.execPath, program, 'run', ...options, '--', 'sh', '-c', script];
const start = (script: string, options: TerminalOptions & { options?: string[] }) => startOnTerminal(decoy(script, options.options), { columns: 120, ...options });
const last = (lines: string[]) => lines.at(-1) ?? '';

test('the last line says what is used while the command runs, and the end shows the output and the summary alone', async () => {
  await using workspace = await openWorkspace();
  const terminal = start('echo one; sleep 0.3; echo two >&2; sleep 0.3; curl -s --max-time 2 https://blocked.example/; printf "three, no line break"; sleep 2; exit 3', { cwd: workspace.path });
  const lines = await terminal.until((shown) => STATUS.test(last(shown)) && last(shown).endsWith(' 1 blocked') && shown.includes('three, no line break'));
  expect(lines.slice(0, -1)).toEqual(['one', 'two', 'three, no line break']);
  const end = await terminal.ended;
  expect(end.exitCode).toBe(3);
  expect(end.lines.slice(0, 4)).toEqual(['one', 'two', 'three, no line break', expect.stringMatching(/^Decoy: failure, exit 3 after /)]);
  expect(end.lines.filter((line) => line.startsWith('decoy '))).toEqual([]);
  expect(terminal.bytes()).toContain('\x1b[1;31mfailure\x1b[0m');
}, 60_000);

test('it is as wide as the terminal and no wider, before and after a resize', async () => {
  await using workspace = await openWorkspace();
  const terminal = start('echo hello; sleep 2', { cwd: workspace.path, columns: 50 });
  const [, narrow = ''] = await terminal.until((shown) => shown.length === 2 && / s of 30 min /.test(last(shown)));
  expect(narrow).toMatch(/^decoy {2}\d s of 30 min .* 0 blocked$/);
  expect(narrow.length).toBeLessThan(50);
  expect(narrow).not.toContain('disk');
  terminal.resize(120, 30);
  expect(await terminal.until((shown) => STATUS.test(last(shown)))).toHaveLength(2);
  terminal.resize(30, 30);
  expect(last(await terminal.until((shown) => last(shown).length < 30 && / s of 30 min/.test(last(shown))))).toMatch(/^decoy {2}\d s of 30 min/);
  expect((await terminal.ended).lines[0]).toBe('hello');
}, 60_000);

test('so does the demo, and leaves what it prints to be read', async () => {
  const terminal = startOnTerminal([process.execPath, program, 'demo'], { cwd: os.tmpdir(), columns: 120 });
  const lines = await terminal.until((shown) => /^decoy {2}\S/.test(last(shown)) && shown.length > 1);
  expect(lines[0]).toMatch(/^Decoy demo: /);
  const end = await terminal.ended;
  expect(end.exitCode, end.lines.join('\n')).toBe(0);
  expect(end.lines.filter((line) => line.startsWith('decoy '))).toEqual([]);
  expect(end.lines.filter((line) => line.startsWith('yes '))).toHaveLength(4);
  expect(end.lines.filter((line) => line.startsWith('  | ')).length).toBeGreaterThan(3);
}, 60_000);

const PLAIN: [string, { env?: Record<string, string>; options?: string[] }][] = [
  ['with TERM=dumb', { env: { TERM: 'dumb' } }], ['in CI', { env: { CI: 'true' } }], ['with --quiet', { options: ['--quiet'] }],
];

test.each(PLAIN)('%s nothing is redrawn', async (_, options) => {
  await using workspace = await openWorkspace();
  const terminal = start('echo out; sleep 0.8; echo err >&2', { cwd: workspace.path, ...options });
  const { lines } = await terminal.ended;
  expect(lines.slice(0, 2)).toEqual(['out', 'err']);
  expect(terminal.bytes()).not.toMatch(/\x1b7|of 30 min  /);
}, 60_000);

test.each([
  ['NO_COLOR', { NO_COLOR: '1' }, false], ['FORCE_COLOR, though in CI', { FORCE_COLOR: '1', CI: 'true' }, true], ['FORCE_COLOR=0', { FORCE_COLOR: '0' }, false],
])('%s is respected', async (_, env, coloured) => {
  await using workspace = await openWorkspace();
  const terminal = start('sleep 0.8', { cwd: workspace.path, env });
  expect((await terminal.ended).lines.join('\n')).toContain('Decoy: success');
  expect(/\x1b\[[1-9][\d;]*m/.test(terminal.bytes())).toBe(coloured);
}, 60_000);

test('where the output goes into a pipe, whose reader may write to the same terminal, nothing is redrawn, and the bytes are the command\'s own', async () => {
  await using workspace = await openWorkspace();
  const terminal = startOnTerminal(['sh', '-c', `"$@" | od -An -c`, 'sh', ...decoy('printf "a\\033[2Jb"; sleep 0.8')], { cwd: workspace.path });
  const { lines } = await terminal.ended;
  expect(terminal.bytes()).not.toContain('\x1b7');
  expect(lines.join('\n')).toMatch(/a +033 +\[ +2 +J +b/);
}, 60_000);

test('where it goes into a file, the file has the command\'s bytes and the terminal the status', async () => {
  await using workspace = await openWorkspace();
  const terminal = startOnTerminal(['sh', '-c', '"$@" > out.bin; od -An -c out.bin', 'sh', ...decoy('printf "a\\033[2Jb"; echo to the terminal >&2; sleep 1')], { cwd: workspace.path, columns: 120 });
  const lines = await terminal.until((shown) => STATUS.test(last(shown)));
  expect(lines[0]).toBe('to the terminal');
  expect((await terminal.ended).lines.join('\n')).toMatch(/a +033 +\[ +2 +J +b/);
}, 60_000);

test('escape sequences of the sandbox do not reach the terminal: no false status, nothing rewritten, nothing typed', async () => {
  await using workspace = await openWorkspace();
  const forged = 'decoy  1 s of 30 min  0.0 of 2 CPUs  memory 1 MiB of 4 GiB  0 requests  0 blocked';
  const script = [
    'echo before', 'curl -s --max-time 2 https://blocked.example/ || true',
    // Hide the true one, scroll it away, go elsewhere, and draw another.
    `printf '\\033[?25l\\033[8m\\033[1;3r\\033[2J\\033[1;1H\\033[?1049h\\033[30;1H${forged}\\033[1;1H\\033[c\\033[6n\\033]0;owned\\007\\033(0\\0337'`,
    'sleep 1.5',
  ].join('\n');
  const terminal = start(script, { cwd: workspace.path });
  const lines = await terminal.until((shown) => shown.some((line) => line.includes(forged)) && STATUS.test(last(shown)) && last(shown).endsWith(' 1 blocked'));
  expect(lines[0]).toBe('before');
  const { lines: end } = await terminal.ended;
  expect(end[0]).toBe('before');
  expect(end.join('\n')).toContain('Decoy: success, exit 0');
  expect({ answered: terminal.emulator.answered(), title: terminal.emulator.title(), coloured: await terminal.emulator.coloured() }).toEqual({ answered: '', title: null, coloured: false });
}, 60_000);

test('stopped by Ctrl-Z it leaves the last line to the shell, and in the background it draws none', async () => {
  await using workspace = await openWorkspace();
  const terminal = startOnTerminal(['bash', '--norc', '--noprofile', '-i'], { cwd: workspace.path, columns: 120 });
  const quoted = decoy('echo started; sleep 3; echo finished').map((word) => `'${word}'`).join(' ');
  terminal.type(`clear; ${quoted}\n`);
  await terminal.until((shown) => STATUS.test(last(shown)));
  terminal.type('\x1a');
  const stopped = await terminal.until((shown) => shown.some((line) => line.includes('Stopped')) && /[$#] *$/.test(last(shown)));
  expect(stopped.filter((line) => STATUS.test(line))).toEqual([]);
  terminal.type('bg\n');
  const done = await terminal.until((shown) => shown.some((line) => line.includes('Decoy: success')));
  expect(done.filter((line) => STATUS.test(line))).toEqual([]);
  terminal.type('exit\n');
  await terminal.ended;
}, 60_000);
