import type { Outcome } from './report/decide-conclusion.ts';

/** Why a run is cancelled whose output nobody reads any more, or that cannot be written; the reason of the signal that cancels it. */
export class OutputLost extends Error {
  readonly isClosed: boolean;

  constructor(stream: 'output' | 'error', cause: NodeJS.ErrnoException) {
    const isClosed = cause.code === 'EPIPE';
    super(isClosed ? `what read its standard ${stream} has closed it` : `cannot write to standard ${stream} (${cause.code ?? cause.message}): send it where there is room for it`);
    this.isClosed = isClosed;
  }
}

/** How a run ends that `signal` has cancelled. A reader that goes away (`decoy run … | head`) ends it as SIGPIPE would; output that cannot be kept is an error. */
export function cancelledBy({ reason }: AbortSignal): Extract<Outcome, { kind: 'cancelled' | 'error' }> {
  if (!(reason instanceof OutputLost)) return { kind: 'cancelled', signal: reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM' };
  return reason.isClosed ? { kind: 'cancelled', signal: 'SIGTERM', why: reason.message } : { kind: 'error', message: reason.message };
}
