/** Bytes as they were written, and what they stand for: `ends[i]` is where in `raw` what stands for `decoded[i]` ends; null: byte for byte. */
export type Span = { raw: Buffer; decoded: Buffer; ends: Uint32Array | null };

export function plainSpan(raw: Buffer): Span {
  return { raw, decoded: raw, ends: null };
}

/**
 * Percent-decodes as servers do: an escape that is none stands for itself. With `plus`, a plus sign is a space, as in
 * application/x-www-form-urlencoded (URL Standard, section 5.1).
 */
export function percentSpan(raw: Buffer, { plus }: { plus: boolean }): Span {
  const decoded = Buffer.allocUnsafe(raw.length);
  const ends = new Uint32Array(raw.length);
  let count = 0;
  for (let at = 0; at < raw.length; count += 1) {
    const escaped = raw[at] === PERCENT && at + 2 < raw.length ? hexPair(raw, at + 1) : -1;
    decoded[count] = escaped >= 0 ? escaped : plus && raw[at] === PLUS ? SPACE : raw[at]!;
    at += escaped >= 0 ? 3 : 1;
    ends[count] = at;
  }
  return { raw, decoded: decoded.subarray(0, count), ends: ends.subarray(0, count) };
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

function hexPair(raw: Buffer, at: number): number {
  const [high, low] = [hexDigit(raw[at]!), hexDigit(raw[at + 1]!)];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
