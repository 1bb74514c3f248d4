/** Takes the pieces of one turn of the event loop as one. */
export type Gatherer = {
  /** false: wait until `onDrain` was called */
  write(chunk: Buffer): boolean;
  /** Gives up what was not taken yet. */
  drop(): Buffer | null;
};

export type GathererOptions = {
  /** false: as `isFull`, until whoever takes it says that it drained */
  take(bytes: Buffer): boolean;
  isFull(): boolean;
  /** called where `write` said to wait for these pieces alone */
  onDrain(): void;
};

/**
 * What one read of a socket brings comes as several pieces, a TLS record each: searched and written as one they cost a fraction. A turn is over
 * when all that is here was read, so nothing waits for what is not here yet.
 */
export function gatherTurn({ take, isFull, onDrain }: GathererOptions): Gatherer {
  let pieces: Buffer[] = [];
  let bytes = 0;
  let turn: NodeJS.Immediate | null = null;

  const drop = (): Buffer | null => {
    if (turn !== null) clearImmediate(turn);
    const all = pieces.length > 1 ? Buffer.concat(pieces, bytes) : (pieces[0] ?? null);
    turn = null;
    pieces = [];
    bytes = 0;
    return all;
  };
  const endTurn = () => {
    const wasToWait = bytes >= MOST_BYTES;
    if (take(drop()!) && wasToWait) onDrain();
  };
  return {
    write(chunk) {
      pieces.push(chunk);
      bytes += chunk.length;
      if (pieces.length === MOST_PIECES) return take(drop()!);
      turn ??= setImmediate(endTurn);
      return bytes < MOST_BYTES && !isFull();
    },
    drop,
  };
}

/** Four of the reads of Node's sockets. */
const MOST_BYTES = 256 << 10;
/** However small: each is an object of its own. */
const MOST_PIECES = 1_024;
