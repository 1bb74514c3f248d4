import { spawn } from 'node:child_process';
import { once } from 'node:events';

const WAIT_SECONDS = 60;
/** flock's own exit codes are 1 and those of sysexits.h from 64 on: this is none of them. */
const STILL_TAKEN = 50;

/**
 * Takes the lock of a file, which is made where there is none, for as long as this process lives or until disposed of. It is the kernel's, flock(2), held by
 * a program that ends with this process's end of a pipe: whatever kills this process, nothing is left that others would wait for.
 * @throws Error when somebody else has it for a minute
 */
export async function holdLock(file: string): Promise<AsyncDisposable> {
  // The environment may hold real values.
  const holder = spawn('flock', ['--exclusive', '--wait', String(WAIT_SECONDS), '--conflict-exit-code', String(STILL_TAKEN), file, 'sh', '-c', 'echo held; exec cat'], {
    env: { PATH: process.env['PATH'] ?? '' }, stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<number | string>((resolve) => holder.once('error', ({ message }) => resolve(message)).once('close', (code) => resolve(code ?? 'a signal')));
  holder.stdin.on('error', () => {});
  const failure = await Promise.race([once(holder.stdout, 'data').then(() => null), ended]);
  if (failure === STILL_TAKEN) throw new Error(`another Decoy has held ${JSON.stringify(file)} for a minute: wait for it, or end it`);
  if (failure !== null) throw new Error(`cannot lock ${JSON.stringify(file)} (flock: ${failure}): make its directory one that this user may write in, and see that util-linux is installed`);
  return {
    [Symbol.asyncDispose]: async () => {
      holder.stdin.end();
      await ended;
    },
  };
}
