import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { OwnedContainer } from './container.ts';
import { EngineError, type Engine } from './engine.ts';

/**
 * Attaches to a created container before it is started, so that nothing it prints is missed; until it is removed.
 * Writing goes to its standard input; reading gives Docker's multiplexed frames (see demultiplex.ts).
 */
export async function attach(engine: Engine, owned: OwnedContainer): Promise<Duplex> {
  const stream = await requestStream(engine, owned.id);
  // The engine leaves it open when the container is removed without having been started.
  owned.closeWithIt(stream);
  // The engine resets the connection when the container is removed by force; the container's end is learnt elsewhere.
  stream.on('error', () => {});
  return stream;
}

/** Not dockerode's, whose request has a body: Podman hands that to the container as the first it reads. */
function requestStream({ socketPath, connections }: Engine, containerId: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      socketPath, method: 'POST', path: `/containers/${containerId}/attach?stream=1&stdin=1&stdout=1&stderr=1`, agent: connections,
      headers: { connection: 'Upgrade', upgrade: 'tcp', 'content-length': 0 },
    });
    request.once('error', reject);
    request.once('upgrade', (_, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      response.once('error', reject).once('end', () => reject(new EngineError(`cannot attach to the container ${containerId.slice(0, 12)}: ${text.trim()}`)));
    });
    request.end();
  });
}
