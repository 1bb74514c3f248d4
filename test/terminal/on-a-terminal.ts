import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { openEmulator, type Emulator } from './emulator.ts';

export type OnTerminal = {
  emulator: Emulator;
  /** every byte the terminal was given */
  bytes(): string;
  /** resolves when the screen's lines are as asked for; rejects when the program ends before */
  until(what: (lines: string[]) => boolean): Promise<string[]>;
  resize(columns: number, rows: number): void;
  type(text: string): void;
  ended: Promise<{ exitCode: number | null; lines: string[] }>;
};

export type TerminalOptions = { columns?: number; rows?: number; cwd: string; env?: Record<string, string> };

/** Runs a program on a real terminal device, and what comes out of that on an emulator. Only `env` is passed on, with PATH, HOME and TERM. */
export function startOnTerminal(argv: readonly string[], { columns = 100, rows = 30, cwd, env = {} }: TerminalOptions): OnTerminal {
  const emulator = openEmulator({ columns, rows, convertEol: false });
  const child = spawn('python3', [path.join(import.meta.dirname, 'on_a_terminal.py'), String(columns), String(rows), ...argv], {
    cwd, env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', TERM: 'xterm-256color', ...env }, stdio: ['pipe', 'pipe', 'inherit'],
  });
  let bytes = '';
  let over = false;
  const looks = new Set<() => void>();
  let shown = Promise.resolve();
  child.stdout.on('data', (data: Buffer) => {
    bytes += data.toString();
    shown = shown.then(() => emulator.write(data)).then(() => looks.forEach((look) => look()));
  });
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(async ([exitCode]) => {
    await shown;
    over = true;
    looks.forEach((look) => look());
    return { exitCode: exitCode as number | null, lines: emulator.all() };
  });
  return {
    emulator,
    bytes: () => bytes,
    until: (what) => new Promise((resolve, reject) => {
      const look = () => {
        const lines = emulator.screen();
        if (what(lines)) resolve(lines);
        else if (over) reject(new Error(`the program ended, and the screen was\n${lines.join('\n')}`));
        else return;
        looks.delete(look);
      };
      looks.add(look);
      look();
    }),
    resize: (newColumns, newRows) => {
      emulator.resize(newColumns, newRows);
      child.stdin.write(`resize ${newColumns} ${newRows}\n`);
    },
    type: (text) => void child.stdin.write(`type ${JSON.stringify(text)}\n`),
    ended,
  };
}
