import type Docker from 'dockerode';
import type { Duplex } from 'node:stream';

/**
 * Attaches to a created container before it is started, so that nothing it prints is missed.
 * Writing goes to its standard input; reading gives Docker's multiplexed frames (see demultiplex.ts).
 */
export async function attach(container: Docker.Container): Promise<Duplex> {
  const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
  // The engine resets the connection when the container is removed by force; the container's end is learnt elsewhere.
  stream.on('error', () => {});
  return stream as Duplex;
}
