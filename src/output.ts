import { randomBytes } from 'node:crypto';
import type { Writable } from 'node:stream';
import type { OutputFrame } from './sandbox/demultiplex.ts';

export type Output = {
  /** Passes a piece on; resolves when the reader can take more. */
  write(frame: OutputFrame): Promise<void>;
  /** Lets the runner read workflow commands again. Safe to call twice, and from an exit handler. */
  release(): void;
  /** what ends the silence, for whoever must do it should this process be killed; null outside GitHub Actions */
  token: string | null;
};

/**
 * Where the sandbox's output goes. On GitHub it is wrapped so that nothing in it is a workflow command: between
 * `::stop-commands::TOKEN` and `::TOKEN::` the runner obeys neither `::` nor `##[` lines
 * (docs.github.com, Workflow commands, Stopping and starting workflow commands). The token is unguessable.
 */
export function openOutput({ stdout, stderr, onGitHub }: { stdout: Writable; stderr: Writable; onGitHub: boolean }): Output {
  const token = onGitHub ? `decoy-${randomBytes(24).toString('hex')}` : null;
  let open = token !== null;
  let atLineStart = true;
  if (token !== null) stdout.write(`::stop-commands::${token}\n`);
  return {
    token,
    async write({ channel, bytes }) {
      const target = channel === 'stdout' ? stdout : stderr;
      if (channel === 'stdout') atLineStart = bytes[bytes.length - 1] === 10;
      if (target.destroyed || target.write(bytes)) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          target.off('drain', done).off('close', done).off('error', done);
          resolve();
        };
        target.on('drain', done).on('close', done).on('error', done);
      });
    },
    release() {
      if (!open) return;
      open = false;
      // A command counts only at the start of a line, and the sandbox may have ended in the middle of one.
      stdout.write(`${atLineStart ? '' : '\n'}::${token}::\n`);
    },
  };
}
