type Environment = Readonly<Record<string, string | undefined>>;

/**
 * NO_COLOR (no-color.org) and FORCE_COLOR (force-color.org) count where they are not empty; of both, FORCE_COLOR, as in Node. `FORCE_COLOR=0` and `=false` say no.
 */
export function wantsColour({ isTTY }: { isTTY?: boolean }, environment: Environment): boolean {
  const { FORCE_COLOR: force = '', NO_COLOR: no = '', TERM } = environment;
  if (force !== '') return force !== '0' && force !== 'false';
  return no === '' && isTTY === true && TERM !== 'dumb';
}

export type Streams = { stdout: { isTTY?: boolean; isPipe: boolean }; stderr: { isTTY?: boolean } };

/**
 * A line that is redrawn: on a terminal that can, for somebody who looks. Not where standard output goes into a pipe (`| tee log`, `| less`): what reads that
 * may write to the same terminal, and Decoy would not know.
 */
export function wantsStatus({ stdout, stderr }: Streams, environment: Environment): boolean {
  const { TERM = 'dumb', CI = '', GITHUB_ACTIONS } = environment;
  return stderr.isTTY === true && GITHUB_ACTIONS !== 'true' && !stdout.isPipe && TERM !== 'dumb' && TERM !== '' && (CI === '' || CI === 'false' || CI === '0');
}
