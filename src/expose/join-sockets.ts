import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { IDLE_MS } from './limits.ts';

/** Carries bytes both ways until both sides have ended, one of them breaks, or nothing moves for long. What was sent before an end is still delivered. */
export function joinSockets(one: Socket | Duplex, other: Socket | Duplex): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    if ('setTimeout' in from) from.setTimeout(IDLE_MS, () => from.destroy());
    from.on('error', () => {}).on('close', () => {
      // After an end the other side is ended too, by `pipe`, once it has taken all.
      if (!from.readableEnded || from.errored) to.destroy();
    });
    from.pipe(to);
  }
}
