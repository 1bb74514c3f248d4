import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { createDisarmer } from './disarm.ts';
import type { OutputFrame } from './sandbox/demultiplex.ts';
import { createSafeText } from './terminal/safe-text.ts';
import type { Screen } from './terminal/screen.ts';

export type Output = {
  /** Passes a piece on; resolves when the reader can take more. */
  write(frame: OutputFrame): Promise<void>;
  /** Prints a line of Decoy's own between those of the sandbox, on stdout; it must hold nothing that a sandbox chose, but for what `printable` made harmless. */
  note(line: string): void;
  /** Has the runner obey nothing until `release`; nothing in the other modes. */
  silence(): void;
  /** Lets the runner read workflow commands again. Safe to call twice, and from an exit handler. */
  release(): void;
};

/**
 * `plain`: as it is. `silence`: for GitHub's runner, which is told to obey nothing in it. `disarm`: for what GitHub's runner may come to read
 * by way of something else (a file, `| tee log`), where a token would be found, by the sandbox too: commands in it are taken apart.
 */
export type OutputMode = 'plain' | 'silence' | 'disarm';

export type OutputOptions = {
  stdout: Writable; stderr: Writable; mode: OutputMode;
  /** called before a silence begins with what will end it, for whoever must do that should this process be killed, and with null once it has ended */
  onToken?(token: string | null): void;
  /** what stands for the terminal, where it has a status line */
  screen?: Screen | null;
};

/**
 * Where the sandbox's output goes. For GitHub's runner it is wrapped so that nothing in it is a workflow command: between
 * `::stop-commands::TOKEN` and `::TOKEN::` the runner obeys neither `::` nor `##[` lines
 * (docs.github.com, Workflow commands, Stopping and starting workflow commands). The token is unguessable, new for each silence, and masked, so
 * that nobody reads it in a live log. `##[` is taken apart all the same: what the runner obeys it writes into the log as `##[group]`, and whoever shows
 * the log takes every such line for its word (github.com/github/vscode-github-actions, src/logs/model.ts).
 *
 * With it both channels go to stdout: the runner reads the two pipes on threads of their own and obeys commands from either, so a
 * line on stderr could be read before the silence begins or after it ends.
 * https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ScriptHandler.cs
 *
 * A terminal obeys what is written to it: there, and only there, the output is held to what changes the line it writes (`createSafeText`).
 */
export function openOutput({ stdout, stderr, mode, onToken, screen = null }: OutputOptions): Output {
  const filters = mode === 'plain' ? null : { stdout: disarmer(mode), stderr: disarmer(mode) };
  const safe = { stdout: createSafeText(), stderr: createSafeText() };
  const coloured = new Set<Writable>();
  let token: string | null = null;
  let atLineStart = true;
  /** A sandbox that ended in the middle of a line would have what follows belong to it. */
  const onNewLine = (line: string) => {
    stdout.write(`${atLineStart ? '' : '\n'}${line}\n`);
    atLineStart = true;
  };
  return {
    async write({ channel, bytes }) {
      if (bytes.length === 0) return;
      const target = mode === 'silence' || channel === 'stdout' ? stdout : stderr;
      if (target === stdout) atLineStart = bytes[bytes.length - 1] === 10;
      const passed = filters === null ? bytes : filters[channel].push(bytes);
      const shown = isTerminal(target) ? safe[channel].push(passed) : passed;
      if (typeof shown === 'string' && screen !== null) return screen.print(shown);
      if (typeof shown === 'string' && shown.includes('\x1b')) coloured.add(target);
      if (target.destroyed || target.write(shown)) return;
      await drained(target);
    },
    note: onNewLine,
    silence() {
      if (mode !== 'silence' || token !== null) return;
      token = `decoy-${randomBytes(24).toString('hex')}`;
      onToken?.(token);
      onNewLine(`::add-mask::${token}\n::stop-commands::${token}`);
    },
    release() {
      for (const terminal of coloured) terminal.write('\x1b[0m');
      coloured.clear();
      if (token === null) return;
      onNewLine(`::${token}::`);
      token = null;
      onToken?.(null);
    },
  };
}

function isTerminal(stream: Writable & { isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

function disarmer(mode: OutputMode) {
  return createDisarmer(mode === 'silence' ? { only: 'brackets' } : {});
}

/** Resolves when the stream takes more, or will never. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('error', done);
  });
}
