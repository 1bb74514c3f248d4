import { compileNeedles } from '../../src/secrets/compile-needles.ts';
import { createDetector, createReplacer } from '../../src/secrets/stream-scanner.ts';
import { check, cut, readBytes } from './bytes.ts';

/** The stream scanner against its definition, for any needles and cuts; over a small alphabet, needles overlap in every way. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const letters = alphabets[bytes.below(alphabets.length)]!;
  const needles = Array.from({ length: 1 + bytes.below(5) }, () => letters(Buffer.from(bytes.line(), 'latin1'))).filter((needle) => needle.length >= 4 && needle.length < 64);
  if (needles.length === 0) return;
  const lengths = Array.from({ length: bytes.below(32) }, () => bytes.below(9));
  const body = letters(bytes.rest());
  const compiled = compileNeedles(needles.map((needle) => ({ bytes: needle, tag: needle.toString('latin1') })));
  const pieces = cut(body, lengths);

  const replacer = createReplacer(compiled, (tag) => Buffer.from(`<${tag}>`, 'latin1'));
  const replaced = Buffer.concat([...pieces.map((piece) => Buffer.from(replacer.push(piece))), replacer.flush()]).toString('latin1');
  check(replaced === replaceByDefinition(needles, body), 'what is replaced is what the definition says');

  const even = createReplacer(compiled, (tag) => Buffer.from(`<${tag}>`, 'latin1'));
  const evenly = pieces.flatMap((piece) => [Buffer.from(even.pushEvenly(piece)), ...(piece.length % 3 === 0 ? [Buffer.from(even.settle({ ifWhole: piece.length % 2 === 0 }))] : [])]);
  check(Buffer.concat([...evenly, even.flush()]).toString('latin1') === replaced, 'passed on evenly it is the same');

  const detector = createDetector(compiled);
  let seen = 0;
  for (const piece of pieces) {
    seen += piece.length;
    const isThere = needles.some((needle) => body.subarray(0, seen).includes(needle));
    check((detector.push(piece) !== null) === isThere, 'the piece that completes a needle is the one it is found in');
    if (isThere) return;
  }
}

const alphabets: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => Buffer.from(bytes.map((byte) => 97 + (byte & 3))),
  (bytes) => bytes,
];

function replaceByDefinition(needles: readonly Buffer[], body: Buffer): string {
  let out = '';
  let covered = 0;
  for (let at = 0; at < body.length; at += 1) {
    const [longest] = needles.filter((needle) => body.subarray(at, at + needle.length).equals(needle)).sort((a, b) => b.length - a.length);
    if (longest !== undefined && at + longest.length > covered) {
      out += `<${longest.toString('latin1')}>`;
      covered = at + longest.length;
    }
    if (at >= covered) out += String.fromCharCode(body[at]!);
  }
  return out;
}
