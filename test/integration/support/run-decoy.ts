import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Report } from '../../../src/report/report.ts';

/** What users run: the committed bundle, not the sources. */
const program = path.resolve(import.meta.dirname, '../../../dist/cli.js');

export type DecoyOptions = {
  /** on top of PATH and a home directory of its own; nothing else of this process's environment is passed on */
  env?: Record<string, string>;
  /** the workspace; a directory without a workspace's rights by default, so give one or `--workspace none` */
  cwd?: string;
};

export type DecoyEnd = {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  wallSeconds: number;
  /** null where there is no report.json */
  report: Report | null;
  reportText: string;
  auditLog: string;
  patch: string;
};

export type RunningDecoy = {
  pid: number;
  stdout(): string;
  /** resolves when the command has printed `text`, rejects when Decoy ends before */
  printed(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<DecoyEnd>;
};

/** Runs `decoy run` to its end. */
export function runDecoy(args: readonly string[], options: DecoyOptions = {}): Promise<DecoyEnd> {
  return startDecoy(args, options).ended;
}

/** Starts `decoy run`, which writes all it can. */
export function startDecoy(args: readonly string[], options: DecoyOptions = {}): RunningDecoy {
  const files = mkdtemp(path.join(os.tmpdir(), 'integration-files-'));
  const listeners = new Set<() => void>();
  const texts = { stdout: '', stderr: '' };
  const startedMs = performance.now();
  const child = (async () => {
    const folder = await files;
    const results = ['--report', `${folder}/report.json`, '--audit-log', `${folder}/audit.jsonl`, '--patch', `${folder}/changes.patch`];
    return spawnDecoy(['run', ...results, ...args], { cwd: folder, ...options });
  })();
  const holder: { child?: Awaited<typeof child> } = {};
  const ended = child.then(async (process): Promise<DecoyEnd> => {
    holder.child = process;
    for (const channel of ['stdout', 'stderr'] as const) {
      process[channel].setEncoding('latin1').on('data', (text: string) => {
        texts[channel] += text;
        listeners.forEach((wake) => wake());
      });
    }
    const [exitCode, signal] = await once(process, 'close') as [number | null, NodeJS.Signals | null];
    const folder = await files;
    const read = (name: string) => (existsSync(`${folder}/${name}`) ? readFileSync(`${folder}/${name}`, 'utf8') : '');
    const reportText = read('report.json');
    const end: DecoyEnd = {
      exitCode, signal, ...texts, wallSeconds: (performance.now() - startedMs) / 1000, reportText,
      report: reportText === '' ? null : JSON.parse(reportText) as Report, auditLog: read('audit.jsonl'), patch: read('changes.patch'),
    };
    await rm(folder, { recursive: true, force: true });
    return end;
  });
  return {
    get pid() { return holder.child?.pid ?? 0; },
    stdout: () => texts.stdout,
    printed: (text) => new Promise<void>((resolve, reject) => {
      const look = () => {
        if (texts.stdout.includes(text)) resolve();
      };
      listeners.add(look);
      look();
      void ended.then((end) => reject(new Error(`Decoy ended before it printed ${JSON.stringify(text)}: ${end.stdout}${end.stderr}`)));
    }),
    kill: (signal) => void holder.child?.kill(signal),
    ended,
  };
}

/** Runs another verb, as `decoy clean`. */
export async function decoy(args: readonly string[], options: DecoyOptions = {}): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const process = spawnDecoy(args, { cwd: os.tmpdir(), ...options });
  const texts = { stdout: '', stderr: '' };
  process.stdout.on('data', (text) => { texts.stdout += text; });
  process.stderr.on('data', (text) => { texts.stderr += text; });
  const [exitCode] = await once(process, 'close') as [number | null];
  return { exitCode, ...texts };
}

function spawnDecoy(args: readonly string[], { env, cwd }: DecoyOptions) {
  return spawn(process.execPath, [program, ...args], {
    cwd, env: { PATH: process.env['PATH'] ?? '', HOME: os.homedir(), ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
}
