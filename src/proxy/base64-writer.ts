/** Writes bytes as `Base64Reader` read them: with the same bytes, the same text. */
export type Base64Writer = {
  /** Padding comes behind so many bytes of all. */
  endSegment(at: number): void;
  /** The groups that are whole, as text. */
  push(bytes: Buffer): Buffer;
};

export function createBase64Writer(): Base64Writer {
  const segmentEnds: number[] = [];
  /** at most two bytes, unless a segment's end behind them is known */
  let rest: Buffer = Buffer.alloc(0);
  let writtenBytes = 0;
  return {
    endSegment: (at) => void segmentEnds.push(at),
    push(bytes) {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const texts: string[] = [];
      let from = 0;
      const writeTo = (to: number) => {
        texts.push(all.toString('base64', from, to));
        from = to;
      };
      while (segmentEnds.length > 0 && segmentEnds[0]! <= writtenBytes + all.length) writeTo(segmentEnds.shift()! - writtenBytes);
      writeTo(all.length - ((all.length - from) % 3));
      // A copy: the chunk's memory may be used again.
      rest = Buffer.from(all.subarray(from));
      writtenBytes += from;
      return Buffer.from(texts.join(''), 'latin1');
    },
  };
}
