import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import { createDisarmer } from './disarm.ts';
import type { OutputFrame } from './sandbox/demultiplex.ts';

export type Output = {
  /** Passes a piece on; resolves when the reader can take more. */
  write(frame: OutputFrame): Promise<void>;
  /** Prints a line of Decoy's own between those of the sandbox, on stdout; it must hold nothing that a sandbox chose, but for what `printable` made harmless. */
  note(line: string): void;
  /** Lets the runner read workflow commands again. Safe to call twice, and from an exit handler. */
  release(): void;
  /** what ends the silence, for whoever must do it should this process be killed; null where there is no silence */
  token: string | null;
};

/**
 * `plain`: as it is. `silence`: for GitHub's runner, which is told to obey nothing in it. `disarm`: for what GitHub's runner may come to read
 * by way of something else (a file, `| tee log`), where a token would be found, by the sandbox too: commands in it are taken apart.
 */
export type OutputMode = 'plain' | 'silence' | 'disarm';

/**
 * Where the sandbox's output goes. For GitHub's runner it is wrapped so that nothing in it is a workflow command: between
 * `::stop-commands::TOKEN` and `::TOKEN::` the runner obeys neither `::` nor `##[` lines
 * (docs.github.com, Workflow commands, Stopping and starting workflow commands). The token is unguessable, and masked, so
 * that nobody reads it in a live log.
 *
 * With it both channels go to stdout: the runner reads the two pipes on threads of their own and obeys commands from either, so a
 * line on stderr could be read before the silence begins or after it ends.
 * https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ScriptHandler.cs
 */
export function openOutput({ stdout, stderr, mode }: { stdout: Writable; stderr: Writable; mode: OutputMode }): Output {
  const disarmers = mode === 'disarm' ? { stdout: createDisarmer(), stderr: createDisarmer() } : null;
  const token = mode === 'silence' ? `decoy-${randomBytes(24).toString('hex')}` : null;
  let open = token !== null;
  let atLineStart = true;
  if (token !== null) stdout.write(`::add-mask::${token}\n::stop-commands::${token}\n`);
  return {
    token,
    async write({ channel, bytes }) {
      if (bytes.length === 0) return;
      const target = mode === 'silence' || channel === 'stdout' ? stdout : stderr;
      if (target === stdout) atLineStart = bytes[bytes.length - 1] === 10;
      if (target.destroyed || target.write(disarmers === null ? bytes : disarmers[channel].push(bytes))) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          target.off('drain', done).off('close', done).off('error', done);
          resolve();
        };
        target.on('drain', done).on('close', done).on('error', done);
      });
    },
    note(line) {
      // A sandbox that ended in the middle of a line would have this one belong to it.
      stdout.write(`${atLineStart ? '' : '\n'}${line}\n`);
      atLineStart = true;
    },
    release() {
      if (!open) return;
      open = false;
      // A command counts only at the start of a line, and the sandbox may have ended in the middle of one.
      stdout.write(`${atLineStart ? '' : '\n'}::${token}::\n`);
    },
  };
}
