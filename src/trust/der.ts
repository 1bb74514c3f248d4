import { createDerWriter, tag } from './der-writer.ts';

/** One value in DER (X.690): `contentTag` around the contents, in their order. */
export function der(contentTag: number, ...contents: Uint8Array[]): Buffer {
  const room = contents.reduce((sum, { length }) => sum + length, MOST_HEAD_BYTES);
  const writer = createDerWriter(room);
  const end = writer.mark();
  for (const content of contents.toReversed()) writer.put(content);
  writer.wrap(contentTag, end);
  return writer.result();
}

/** A tag, and a length in up to five octets. */
const MOST_HEAD_BYTES = 6;

/** An OBJECT IDENTIFIER, X.690 8.19. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]];
  return der(tag.objectIdentifier, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Seven bits an octet, the highest first; every octet but the last says that another follows. */
function base128(value: number): number[] {
  const octets = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) octets.unshift(0x80 | (rest & 0x7f));
  return octets;
}

/** A Time as RFC 5280 4.1.2.5 wants it: UTCTime until the year 2049, GeneralizedTime after, seconds included, in UTC. */
export function derTime(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? der(tag.utcTime, Buffer.from(digits.slice(2))) : der(tag.generalizedTime, Buffer.from(digits));
}
