/** Reads what a fuzzer made up as numbers, texts and cuts, so that small changes of the bytes are small changes of the case. */
export type Bytes = {
  below(limit: number): number;
  /** up to the next line feed, one character a byte */
  line(): string;
  rest(): Buffer;
};

export function readBytes(data: Buffer): Bytes {
  let at = 0;
  return {
    below: (limit) => (at < data.length ? data[at++]! : 0) % limit,
    line() {
      const found = data.indexOf(0x0a, at);
      const end = found === -1 ? data.length : found;
      const text = data.toString('latin1', at, end);
      at = Math.min(data.length, end + 1);
      return text;
    },
    rest() {
      const rest = data.subarray(at);
      at = data.length;
      return rest;
    },
  };
}

/** `body` in pieces whose lengths are those of `lengths` in turn, zero included. */
export function cut(body: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const length = turn < lengths.length ? lengths[turn]! : body.length;
    pieces.push(body.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}
