/** Writes DER (X.690) from its end to its beginning: a length is written when what it counts is there, and nothing is copied twice. */
export type DerWriter = {
  /** where the next byte goes in front of: remembered, it is the end of what `wrap` encloses */
  mark(): number;
  /** puts what is encoded already in front of what was written before */
  put(encoded: Uint8Array): void;
  /** makes everything in front of `end` the content of one value */
  wrap(tag: number, end: number): void;
  /** all that was written */
  result(): Buffer;
};

/**
 * `roomBytes`: as much as will be written, or more.
 * @throws from `put` and `wrap` where it is less
 */
export function createDerWriter(roomBytes: number): DerWriter {
  const bytes = Buffer.alloc(roomBytes);
  let start = roomBytes;
  const claim = (count: number) => {
    if (count > start) throw new Error(`the DER writer has room for ${roomBytes} bytes only`);
    return (start -= count);
  };
  return {
    mark: () => start,
    put: (encoded) => bytes.set(encoded, claim(encoded.length)),
    wrap: (tag, end) => {
      const length = end - start;
      // X.690 8.1.3: one octet below 128, else their number and the octets of the length.
      const octets = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
      const at = claim(2 + octets);
      bytes[at] = tag;
      bytes[at + 1] = octets === 0 ? length : 0x80 | octets;
      if (octets > 0) bytes.writeUIntBE(length, at + 2, octets);
    },
    result: () => bytes.subarray(start),
  };
}

/** The universal tags in use (X.680, table 1), and the context-specific ones of EXPLICIT [0] and [3]. */
export const tag = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, objectIdentifier: 0x06, utf8String: 0x0c, utcTime: 0x17, generalizedTime: 0x18,
  bmpString: 0x1e, sequence: 0x30, set: 0x31, explicit0: 0xa0, explicit3: 0xa3,
} as const;
