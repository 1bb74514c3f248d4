import Docker from 'dockerode';
import http from 'node:http';
import { EngineConnections } from './engine-connections.ts';

/** A connection to the Docker engine. `socketPath`: of its Unix socket. `podmanVersion`: of Podman, which speaks Docker's API; null for Docker. */
export type Engine = { docker: Docker; connections: EngineConnections; socketPath: string; podmanVersion: string | null };

/** The engine cannot be used; the message says why and what to do. */
export class EngineError extends Error {
  override name = 'EngineError';
}

/** `_ping` asks nothing of an engine: one that takes longer than this hangs, or is starved by its machine. */
const PATIENCE_MS = 30_000;

/**
 * Connects to the engine DOCKER_HOST names, or to /var/run/docker.sock.
 * @throws EngineError when it does not answer
 */
export async function connectEngine(options: { dockerHost?: string | undefined }): Promise<Engine> {
  const socketPath = socketOf(options.dockerHost);
  const ping = () => pingEngine({ socketPath }, PATIENCE_MS);
  // Podman's service ends when it was idle for some seconds, and hangs up on whoever comes just then; systemd starts it anew for the next.
  const again = (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? ping() : Promise.reject(error));
  const { server = '' } = await ping().catch(again).catch((error: unknown) => {
    throw new EngineError(unreachable(error, socketPath));
  });
  const podmanVersion = /^Libpod\/(\S+)/.exec(String(server))?.[1] ?? null;
  // Podman's service closes one that was idle for some seconds, which a busy machine learns of only when it has written to it.
  const connections = new EngineConnections({ keepAlive: podmanVersion === null });
  return { docker: new Docker({ socketPath, agent: connections } as Docker.DockerOptions), connections, socketPath, podmanVersion };
}

/** Asks the engine for a sign of life, on a connection of its own. @returns the headers of its answer */
export function pingEngine({ socketPath }: Pick<Engine, 'socketPath'>, patienceMs: number): Promise<http.IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: '/_ping', agent: false, signal: AbortSignal.timeout(patienceMs) }, (response) => {
      response.resume().once('error', reject).once('end', () => {
        if (response.statusCode === 200) resolve(response.headers);
        else reject(new Error(`it answered ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}

function socketOf(dockerHost: string | undefined): string {
  if (dockerHost === undefined || dockerHost === '') return '/var/run/docker.sock';
  const url = URL.canParse(dockerHost) ? new URL(dockerHost) : null;
  if (url?.protocol !== 'unix:') {
    throw new EngineError(
      `DOCKER_HOST=${JSON.stringify(dockerHost)} is not supported: the engine must share this machine's file system, so point it at a unix:// socket or unset it; see docs/runners.md`,
    );
  }
  return url.pathname;
}

function unreachable(error: unknown, socketPath: string): string {
  const { code, name, message } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') {
    return `cannot use the Docker engine at ${socketPath}: permission denied; add this user to the docker group (sudo usermod -aG docker "$USER", then log in again) or run as root`;
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return `cannot reach the Docker engine at ${socketPath}: it is not running; start it (sudo systemctl start docker, or dockerd) or install it (apt-get install docker.io)`;
  }
  if (name === 'AbortError' || name === 'TimeoutError') {
    return `the Docker engine at ${socketPath} did not answer within ${PATIENCE_MS / 1000} s: it hangs; restart it (sudo systemctl restart docker)`;
  }
  return `cannot use the Docker engine at ${socketPath}: ${message}`;
}
