import Docker from 'dockerode';

/** A connection to the Docker engine. */
export type Engine = { docker: Docker };

/** The engine cannot be used; the message says why and what to do. */
export class EngineError extends Error {
  override name = 'EngineError';
}

/**
 * Connects to the engine DOCKER_HOST names, or to /var/run/docker.sock.
 * @throws EngineError when it does not answer
 */
export async function connectEngine(options: { dockerHost?: string | undefined }): Promise<Engine> {
  const docker = openClient(options.dockerHost);
  await docker.ping().catch((error: unknown) => {
    throw new EngineError(unreachable(error, options.dockerHost));
  });
  return { docker };
}

function openClient(dockerHost: string | undefined): Docker {
  if (dockerHost === undefined || dockerHost === '') return new Docker({ socketPath: '/var/run/docker.sock' });
  const url = URL.canParse(dockerHost) ? new URL(dockerHost) : null;
  if (url?.protocol !== 'unix:') {
    throw new EngineError(
      `DOCKER_HOST=${JSON.stringify(dockerHost)} is not supported: the engine must share this machine's file system, so point it at a unix:// socket or unset it; see docs/runners.md`,
    );
  }
  return new Docker({ socketPath: url.pathname });
}

function unreachable(error: unknown, dockerHost: string | undefined): string {
  const code = (error as NodeJS.ErrnoException).code;
  const where = dockerHost || '/var/run/docker.sock';
  if (code === 'EACCES') {
    return `cannot use the Docker engine at ${where}: permission denied; add this user to the docker group (sudo usermod -aG docker "$USER", then log in again) or run as root`;
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return `cannot reach the Docker engine at ${where}: it is not running; start it (sudo systemctl start docker, or dockerd) or install it (apt-get install docker.io)`;
  }
  return `cannot use the Docker engine at ${where}: ${(error as Error).message}`;
}
