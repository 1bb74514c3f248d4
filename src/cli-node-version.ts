/** As package.json's `engines` has it. */
const LEAST_MAJOR = 20;

/** Why this Node will not do, or null. `version` is `process.version`, such as `v20.11.1`. */
export function nodeProblem(version: string): string | null {
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  return major >= LEAST_MAJOR ? null : `Decoy needs Node ${LEAST_MAJOR} or newer, and this is ${version}: put a newer \`node\` first in PATH`;
}
