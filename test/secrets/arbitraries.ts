import fc from 'fast-check';
import { secretProblems } from '../../src/secrets/check-secret.ts';
import { writtenForms, type WrittenForm } from './written-forms.ts';

/** What may be a secret: printable, of ASCII and beyond. */
export const secretValue: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...'abcdefXYZ0189-_./+=~:;,!?*()[]{}<>&"\'\\%@#$^|` '), minLength: 8, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 8, maxLength: 24 }),
  )
  .filter((value) => Buffer.from(value).toString() === value && !value.includes('\0') && secretProblems({ name: 'KEY', value }).length === 0);

/** Where a body is cut into chunks: lengths, used again and again. */
export const chunkLengths: fc.Arbitrary<number[]> = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

export function cutAt(body: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = lengths[chunks.length % lengths.length]!;
    chunks.push(body.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** Bodies that hold the value in some forms, and no more than halves of others. */
export function bodyWith(value: string): fc.Arbitrary<Buffer> {
  const form = fc.constantFrom(...writtenForms(value));
  return pieces(fc.oneof(form.map(({ text }) => text), half(form), noise));
}

/** Bodies that hold no form of the value, but beginnings and ends of some. */
export function bodyWithout(value: string): fc.Arbitrary<Buffer> {
  return pieces(fc.oneof(half(fc.constantFrom(...writtenForms(value))), noise));
}

const noise: fc.Arbitrary<string> = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')));

function half(form: fc.Arbitrary<WrittenForm>): fc.Arbitrary<string> {
  return fc.tuple(form, fc.boolean(), fc.nat(100)).map(([{ text }, isBeginning, percent]) => {
    const length = Math.floor((text.length * percent) / 200);
    return isBeginning ? text.slice(0, length) : text.slice(text.length - length);
  });
}

/** NUL between them: what one piece ends with and the next begins with is not to make up a value by chance. */
function pieces(piece: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.array(piece, { maxLength: 8 }).map((texts) => Buffer.from(texts.map((text) => `${text}\0\0`).join(''), 'latin1'));
}
