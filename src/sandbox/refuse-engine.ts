import fs from 'node:fs/promises';
import { EngineError, type Engine } from './engine.ts';

/** Why no run goes on an engine, and what to do. */
export type EngineProblem = { detail: string; remedy: string };

/** The first that is tried; 4.3 leaves out the device rules without which a run gets no disk (4.4 was the first to take them over Docker's API). */
const LEAST_PODMAN = 5;

/** @throws EngineError before anything is made on an engine that cannot hold what Decoy promises */
export async function refuseUnusable(engine: Engine): Promise<void> {
  const problem = await findProblem(engine);
  if (problem === null) return;
  throw new EngineError(`cannot use the ${engine.podmanVersion === null ? 'Docker engine' : 'Podman'} at ${engine.socketPath}: ${problem.detail}; ${problem.remedy}; see docs/runners.md`);
}

export async function findProblem(engine: Engine): Promise<EngineProblem | null> {
  const { podmanVersion } = engine;
  if (await isRootless(engine)) {
    const start = podmanVersion === null ? 'sudo systemctl start docker' : 'sudo systemctl start podman.socket, DOCKER_HOST=unix:///run/podman/podman.sock, and Decoy as root';
    return { detail: 'it is rootless, and only root can mount the disk that caps what a run writes', remedy: `use an engine that runs as root (${start})` };
  }
  if (podmanVersion === null) return null;
  const profile = stackedProfile(await fs.readFile(PROFILES, 'latin1').catch(() => ''));
  if (Number.parseInt(podmanVersion, 10) >= LEAST_PODMAN) {
    return profile === null ? null : {
      detail: `AppArmor's profile ${JSON.stringify(profile)} keeps the processes in its containers from signalling each other`,
      remedy: `take that profile out (sudo apparmor_parser -R /etc/apparmor.d/${profile}), or use Docker`,
    };
  }
  return { detail: `Podman ${podmanVersion} does not give containers the devices that the disk of a run needs`, remedy: `install Podman ${LEAST_PODMAN} or newer, or Docker` };
}

const PROFILES = '/sys/kernel/security/apparmor/profiles';

/**
 * A profile of the runtime's own, which with no_new_privs is stacked on that of the container, whose rules for signals name itself alone.
 * `profiles`: those the kernel has, a line for each.
 */
export function stackedProfile(profiles: string): string | null {
  return /^(crun) \(unconfined\)$/m.exec(profiles)?.[1] ?? null;
}

/** Asks only where the socket is not root's: a question to the engine takes longer than all else here. */
async function isRootless(engine: Engine): Promise<boolean> {
  const owner = await fs.stat(engine.socketPath).catch(() => null);
  if (owner === null || owner.uid === 0) return false;
  if (engine.podmanVersion !== null) return await askPodman(engine);
  const { SecurityOptions } = await engine.docker.info() as { SecurityOptions?: readonly string[] | null };
  return SecurityOptions?.some((option) => /^name=rootless(,|$)/.test(option)) ?? false;
}

/** Podman 4 says it in its own description alone. */
function askPodman({ docker }: Engine): Promise<boolean> {
  return new Promise((resolve, reject) => {
    docker.modem.dial({ path: '/v4.0.0/libpod/info', method: 'GET', statusCodes: { 200: true } }, (error: unknown, info: unknown) => {
      if (error) reject(error as Error);
      else resolve((info as { host?: { security?: { rootless?: boolean } } }).host?.security?.rootless ?? false);
    });
  });
}
