import { execFile } from 'node:child_process';

export type HostRun = { exitCode: number; stdout: string; stderr: string };

/** Runs a probe without any sandbox, as the control: there it must find what it must not find inside. */
export function onHost(argv: readonly string[], options: { env?: Record<string, string>; cwd?: string } = {}): Promise<HostRun> {
  const [program = '', ...args] = argv;
  return new Promise((done) => {
    const environment = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ...options.env };
    execFile(program, args, { encoding: 'latin1', maxBuffer: 256 << 20, cwd: options.cwd, env: environment }, (error, stdout, stderr) => {
      done({ exitCode: error === null ? 0 : typeof error.code === 'number' ? error.code : 128, stdout, stderr });
    });
  });
}
