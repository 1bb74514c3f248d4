import type { Writable } from 'node:stream';

/** Ends the process as soon as its output is written: a handle that was left open anywhere must not keep a step of a job from ending. */
export async function endProcess(exitCode: number): Promise<never> {
  // For a process that ends by itself while it waits.
  process.exitCode = exitCode;
  await Promise.all([written(process.stdout), written(process.stderr)]);
  process.exit(exitCode);
}

/** Resolves when all that was written before has left the process, or nobody is there to read it. */
function written(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    stream.once('close', resolve);
    stream.write('', () => resolve());
  });
}
