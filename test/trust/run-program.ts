import { execFile, spawnSync } from 'node:child_process';

export type ProgramResult = { exitCode: number; output: string };

/** Runs a real program to its end; `output` is stdout and stderr together. */
export function runProgram(file: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { timeout: 60_000, ...options }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) || 1 : 0, output: `${stdout}${stderr}` });
    });
    child.stdin?.end();
  });
}

export function isInstalled(file: string): boolean {
  return spawnSync('which', [file]).status === 0;
}
