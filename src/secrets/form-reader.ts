import type { BodyReader, BodySink } from './body-reader.ts';
import { percentSpan } from './span.ts';

/**
 * Reads application/x-www-form-urlencoded (URL Standard, section 5.1) and cannot fail: any text is a form. `names` are those of the
 * fields that are asked for, compared as they are decoded.
 */
export function createFormReader(names: readonly string[]): BodyReader {
  const wanted = names.map((name) => Buffer.from(name));
  // A character takes at most three bytes, as an escape: a longer name is none of them.
  const longestName = 3 * Math.max(0, ...wanted.map(({ length }) => length));
  let name: Buffer[] = [];
  let nameBytes = 0;
  let isValue = false;
  let fields: readonly number[] = [];
  /** an escape that was cut, at most two bytes */
  let carry: Buffer = Buffer.alloc(0);

  const addToName = (raw: Buffer): void => {
    nameBytes += raw.length;
    if (nameBytes <= longestName) name.push(Buffer.from(raw));
  };
  const fieldsNamed = (): number[] => {
    if (nameBytes > longestName) return [];
    const { decoded } = percentSpan(Buffer.concat(name), { plus: true });
    return wanted.flatMap((bytes, index) => (bytes.equals(decoded) ? [index] : []));
  };
  /** A stretch without a separator that ends a name or a value, or not yet. */
  const pass = (raw: Buffer, sink: BodySink, isEnd: boolean): void => {
    if (!isValue) addToName(raw);
    if (fields.length === 0) return raw.length > 0 ? sink.outside(raw) : undefined;
    const whole = carry.length === 0 ? raw : Buffer.concat([carry, raw]);
    const cut = isEnd ? whole.length : escapeStart(whole);
    carry = Buffer.from(whole.subarray(cut));
    if (cut > 0) sink.inside(percentSpan(whole.subarray(0, cut), { plus: true }));
  };
  const endPair = (sink: BodySink): void => {
    if (fields.length > 0) sink.close();
    [name, nameBytes, isValue, fields] = [[], 0, false, []];
  };

  return {
    push(chunk, sink) {
      let at = 0;
      while (at < chunk.length) {
        const end = nextSeparator(chunk, at, { isValue, isWanted: fields.length > 0 });
        pass(chunk.subarray(at, end), sink, end < chunk.length);
        if (end === chunk.length) return null;
        const separator = chunk.subarray(end, end + 1);
        at = end + 1;
        if (separator[0] === SEMICOLON) {
          // Some servers (Ruby's CGI, older Python) take it for the beginning of another pair: what follows is no place for a secret.
          sink.close();
          fields = [];
          sink.outside(separator);
          continue;
        }
        if (separator[0] === AMPERSAND) {
          endPair(sink);
          sink.outside(separator);
          continue;
        }
        sink.outside(separator);
        isValue = true;
        fields = fieldsNamed();
        if (fields.length > 0) sink.open(fields);
      }
      return null;
    },
    end(sink) {
      pass(Buffer.alloc(0), sink, true);
      endPair(sink);
      return null;
    },
  };
}

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const PERCENT = 0x25;

function nextSeparator(chunk: Buffer, from: number, { isValue, isWanted }: { isValue: boolean; isWanted: boolean }): number {
  const ampersand = chunk.indexOf(AMPERSAND, from);
  const end = ampersand === -1 ? chunk.length : ampersand;
  if (isWanted) {
    const semicolon = chunk.subarray(from, end).indexOf(SEMICOLON);
    return semicolon === -1 ? end : from + semicolon;
  }
  if (isValue) return end;
  const equals = chunk.subarray(from, end).indexOf(EQUALS);
  return equals === -1 ? end : from + equals;
}

/** Where an escape begins that the end cuts. */
function escapeStart(raw: Buffer): number {
  const { length } = raw;
  if (raw[length - 1] === PERCENT) return length - 1;
  return raw[length - 2] === PERCENT ? length - 2 : length;
}
