/** Connections of the host's to one exposed port at once; more are closed. */
export const MOST_CONNECTIONS = 128;
/** A connection that moves nothing for so long is closed. */
export const IDLE_MS = 300_000;
/** Largest head of a request or an answer. */
export const HEAD_BYTES = 64 * 1024;
/** The head of a request has to be there after so long. */
export const HEAD_MS = 30_000;
