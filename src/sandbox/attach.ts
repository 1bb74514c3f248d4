import type { Duplex } from 'node:stream';
import type { OwnedContainer } from './container.ts';

/**
 * Attaches to a created container before it is started, so that nothing it prints is missed; until it is removed.
 * Writing goes to its standard input; reading gives Docker's multiplexed frames (see demultiplex.ts).
 */
export async function attach(owned: OwnedContainer): Promise<Duplex> {
  const stream = await owned.container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true }) as Duplex;
  // The engine leaves it open when the container is removed without having been started.
  owned.closeWithIt(stream);
  // The engine resets the connection when the container is removed by force; the container's end is learnt elsewhere.
  stream.on('error', () => {});
  return stream;
}
