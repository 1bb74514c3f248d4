import type { Exposed } from './expose-request.ts';

/** A line of the log for each port. The token is in it only where no file has it, and the log is not that of a job on GitHub. */
export function describeExposed(exposed: readonly Exposed[], { file, isPublic }: { file: string | null; isPublic: boolean }): string[] {
  return exposed.map((one) => {
    const what = `port ${one.port} of the sandbox is`;
    if ('socket' in one) return `${what} the socket ${one.socket}`;
    if (file !== null) return `${what} ${one.url} with the token in ${file}`;
    if (isPublic) return `${what} ${one.url}; nobody has its token: name a file for it as expose-file`;
    return `${what} ${one.url.replace('://', `://decoy:${one.token}@`)}`;
  });
}
