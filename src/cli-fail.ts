const FAILED = 125;

/** Says every problem in a line of its own; the exit code. */
export function fail(problems: readonly string[]): number {
  process.stderr.write(problems.map((problem) => `decoy: ${problem}\n`).join(''));
  return FAILED;
}
