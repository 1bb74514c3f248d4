import type { Socket } from 'node:net';
import symbols from 'undici/lib/core/symbols.js';

/**
 * Mends how undici 7 takes the end of a connection while an answer waits to be taken: it fails an assertion, which ends the process, or, where the connection was to be
 * kept, takes the answer for broken off though all of it is here (https://github.com/nodejs/undici/issues/5360; undici 8 wants Node 22). Called before undici has the connection.
 */
export function unpauseAtEnd(socket: Socket): void {
  const parserOf = () => (socket as ParsedSocket)[symbols.kParser] ?? null;
  const forgetPause = () => {
    const parser = parserOf();
    if (parser !== null) parser.paused = false;
  };
  // All was read: what waits is the end of the answer alone.
  socket.on('end', () => {
    for (let round = 0; round < MOST_PAUSES; round += 1) parserOf()?.resume();
    forgetPause();
  });
  socket.on('error', () => {
    const parser = parserOf();
    // A body that only the connection's end ends has not ended with a reset, as undici would have it.
    if (parser !== null) parser.shouldKeepAlive = true;
  });
  socket.on('close', forgetPause);
}

type ParsedSocket = Socket & { [symbols.kParser]?: { paused: boolean; shouldKeepAlive: boolean; resume(): void } | null };

/** Where only the connection's end is the body's, it pauses once more for the nothing that is left. */
const MOST_PAUSES = 2;
