import { createFormReader } from '../../src/secrets/form-reader.ts';
import { check, cut, readBytes } from './bytes.ts';
import { formPairs } from './form-pairs.ts';
import { readBody } from './read-body.ts';

const names = ['a', 'a b', '\u00e9', '%2', '2'];

/** The reader of forms against URLSearchParams: every body is a form, and the same values are found for a name, wherever it is cut. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const letters = alphabets[bytes.below(alphabets.length)]!;
  const lengths = Array.from({ length: bytes.below(24) }, () => bytes.below(11));
  const body = letters(bytes.rest());
  // Meant: a value ends at a semicolon, which some servers take for another pair's beginning.
  const plain = Buffer.from(body.toString('latin1').replace(/(=[^&;]*);[^&]*/g, '$1'), 'latin1');
  const expected = formPairs(plain).filter(([name]) => names.includes(name));
  for (const pieces of [[body], cut(body, lengths), Array.from(body, (byte) => Buffer.from([byte]))]) {
    const { values, passed, problem } = readBody(createFormReader(names), pieces, undo);
    check(problem === null, 'every body is a form');
    check(passed.equals(body), 'what goes in comes out');
    check(values.length === expected.length, 'as many values as there are of the names');
    expected.forEach(([name, value], at) => {
      check(values[at]!.fields.length === 1 && names[values[at]!.fields[0]!] === name, 'a value is that of its name');
      check(values[at]!.decoded.toString() === value, 'it is decoded');
    });
  }
}

const LETTERS = Buffer.from('a%=&;+ 2bC3\u00e9');

const alphabets: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => Buffer.from(bytes.map((byte) => LETTERS[byte % LETTERS.length]!)),
  (bytes) => bytes,
];

function undo(raw: Buffer): Buffer {
  if (raw.length === 3) return Buffer.from(raw.toString('latin1').slice(1), 'hex');
  return raw.equals(Buffer.from('+')) ? Buffer.from(' ') : raw;
}
