import type { Engine } from './engine.ts';

export type ConfinedOptions = {
  containerId: string;
  argv: readonly string[];
  environment: Readonly<Record<string, string>>;
  /** nobody waits any longer; what runs ends with its container */
  signal: AbortSignal;
};

const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 250;

/**
 * Runs a program beside the first process of a container of Decoy's, under the same filter of system calls as what that starts: one the engine starts has the
 * engine's own alone. Its output is nobody's. @returns its exit code, or null where it did not end
 */
export async function runConfined(engine: Engine, { containerId, argv, environment, signal }: ConfinedOptions): Promise<number | null> {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  try {
    // The variables as arguments: they are the program's, and none of them the guest's.
    const exec = await engine.docker.getContainer(containerId).exec({ Cmd: ['/decoy/guest', 'confined', ...variables, '--', ...argv], AttachStdin: false, AttachStdout: false, AttachStderr: false });
    await exec.start({ Detach: true });
    for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = Math.min(wait * 1.5, LAST_LOOK_MS)) {
      await new Promise((resolve) => { setTimeout(resolve, wait); });
      const { Running: isRunning, ExitCode: exitCode } = await exec.inspect();
      if (!isRunning) return exitCode;
    }
  } catch {
    // The container has ended; whoever watches it tells.
  }
  return null;
}
