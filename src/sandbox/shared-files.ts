import fs from 'node:fs';
import { EngineError } from './engine.ts';

/** Which file it is: device and inode number, decimal. Two names with the same are one file, as long as it is open or mounted somewhere. */
export type FileIdentity = { device: string; inode: string };

/** A directory of the runner that the engine was told to mount, and where the keeper has it. */
export type SharedDirectory = { path: string; keeperPath: string };

/**
 * Holds what the engine mounted against what this process sees under the same name. An engine in another container or machine may have a directory
 * of that name with other files: the sandbox would get its tools, its workspace, or what Decoy hides of this machine's.
 * @throws EngineError naming the first that is another one
 */
export async function checkShared(keeper: { identify(paths: readonly string[]): Promise<readonly FileIdentity[]> }, directories: readonly SharedDirectory[]): Promise<void> {
  const mounted = await keeper.identify(directories.map(({ keeperPath }) => keeperPath));
  for (const [index, { path }] of directories.entries()) {
    // Only now, while the keeper's mount holds it: overlays give a directory another number once it was out of use.
    const own = await fs.promises.stat(path, { bigint: true });
    const its = mounted[index];
    if (its?.device !== String(own.dev) || its.inode !== String(own.ino)) throw unshared(`its ${JSON.stringify(path)} is another directory than Decoy's`);
  }
}

/** What is wrong where an engine has no such path to mount although this process does; null where its words say something else. */
export function explainMissingSource(message: string): EngineError | null {
  const path = MISSING_SOURCE.map((words) => words.exec(message)?.[1]).find((found) => found !== undefined);
  return path !== undefined && fs.existsSync(path) ? unshared(`it has no ${JSON.stringify(path)}`) : null;
}

/** As Docker and Podman say it. */
const MISSING_SOURCE = [/bind source path does not exist: (\/.*)/, /statfs (\/.*): no such file or directory/];

function unshared(seen: string): EngineError {
  return new EngineError(
    `the Docker engine does not share this runner's files: ${seen}; use a runner on the machine its engine runs on: no \`container:\` for the job (set Decoy's \`image\` instead), and no engine in a sidecar (docker:dind), a snap or another machine; see docs/runners.md`,
  );
}
