import { createJsonReader, MAX_JSON_DEPTH } from '../../src/secrets/json-reader.ts';
import type { FieldStep } from '../../src/secrets/place.ts';
import { check, cut, readBytes } from './bytes.ts';
import { jsonDepth, jsonStrings } from './json-strings.ts';
import { readBody } from './read-body.ts';

const fields: readonly (readonly FieldStep[])[] = [['a'], ['a', 'b'], [null], ['a', null, '1'], ['\u00e9"'], [null, '10', null]];

/**
 * The reader of JSON against JSON.parse: the same texts are JSON, but for those nested deeper than it goes; and the same strings are found
 * at a path, those of a repeated key too. Only characters beyond ASCII, which no placeholder has, may be decoded otherwise.
 */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const lengths = Array.from({ length: bytes.below(24) }, () => bytes.below(11));
  // Close to the limit, where a fuzzer would not come by itself.
  const nested = bytes.below(4) === 3 ? MAX_JSON_DEPTH - bytes.below(4) : 0;
  const body = Buffer.concat([Buffer.from('['.repeat(nested)), bytes.rest(), Buffer.from(']'.repeat(nested))]);
  const strings = jsonStrings(body);
  const isRead = strings !== null && jsonDepth(body) <= MAX_JSON_DEPTH;
  const expected = !isRead ? [] : strings.map(({ path, value }) => ({ value, indices: fieldsAt(path) })).filter(({ indices }) => indices.length > 0);
  for (const pieces of [[body], cut(body, lengths), Array.from(body, (byte) => Buffer.from([byte]))]) {
    const { values, passed, problem } = readBody(createJsonReader(fields), pieces, undo);
    check((problem === null) === isRead, 'what is JSON to JSON.parse is read, and nothing else');
    check(isRead ? passed.equals(body) : body.subarray(0, passed.length).equals(passed), 'what goes in comes out');
    if (!isRead) continue;
    check(values.length === expected.length, 'as many strings as there are at the paths');
    expected.forEach(({ value, indices }, at) => {
      check(values[at]!.fields.join() === indices.join(), 'the fields of a string are those of its path');
      check(JSON.parse(`"${values[at]!.raw.toString()}"`) === value, 'a string is the one at its path');
      check(inAscii(values[at]!.decoded.toString('latin1')) === inAscii(value), 'it is decoded');
    });
  }
}

function fieldsAt(path: readonly string[]): number[] {
  return fields.flatMap((steps, index) => (steps.length === path.length && steps.every((step, at) => step === null || step === path[at]) ? [index] : []));
}

function inAscii(text: string): string {
  return text.replaceAll(/[^\0-\x7f]+/g, '?');
}

/** null for a character beyond ASCII, or a part of one. */
function undo(raw: Buffer): Buffer | null {
  if (raw[0]! >= 0x80) return raw;
  const character = JSON.parse(`"${raw.toString('latin1')}"`) as string;
  return character <= '\x7f' ? Buffer.from(character) : null;
}
