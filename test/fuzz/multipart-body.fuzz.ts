import { createMultipartReader } from '../../src/secrets/multipart-reader.ts';
import { check, cut, readBytes } from './bytes.ts';
import { hasOtherName, isPlainlyNamed, mayBeNamed, multipartParts, type MultipartPart } from './multipart-parts.ts';
import { readBody, type ReadBody } from './read-body.ts';

const boundaries = ['B-1', '-', '--', 'a b', "'(x)"];
const names = ['a', 'b c', '\u00e9'];

/**
 * The reader of multipart/form-data against splitting the whole body at its boundary: the same bodies have the strict form. The content of a
 * part that has a name in the plainest way is found, and none of a part that a program could take for another field.
 */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const boundary = boundaries[bytes.below(boundaries.length)]!;
  const lengths = Array.from({ length: bytes.below(24) }, () => bytes.below(11));
  const body = withTokens(bytes.rest(), boundary);
  const parts = multipartParts(body, boundary);
  for (const pieces of [[body], cut(body, lengths), inPiecesOf(body.length < 1024 ? 1 : 3, body)]) {
    const read = readBody(createMultipartReader(boundary, names), pieces, () => null);
    check((read.problem === null) === (parts !== null), 'what can be split at its boundary in one way is read, and nothing else');
    check(parts === null ? body.subarray(0, read.passed.length).equals(read.passed) : read.passed.equals(body), 'what goes in comes out');
    if (parts !== null) checkValues(parts, read);
  }
}

/** Contents come in the order of the parts, of which some have none of the names. */
function checkValues(parts: readonly MultipartPart[], { values }: ReadBody): void {
  let next = 0;
  for (const part of parts) {
    const value = values[next];
    const name = names[value?.fields[0] ?? 0]!.replace('\u00e9', '\xc3\xa9');
    const isThis = value !== undefined && value.decoded.toString('latin1') === part.content && mayBeNamed(part, name) && !hasOtherName(part, name);
    if (isThis) next += 1;
    else check(!names.some((one) => isPlainlyNamed(part, one)), 'the content of a part with the name is found');
  }
  check(next === values.length, 'and of no other part');
}

function inPiecesOf(length: number, body: Buffer): Buffer[] {
  return cut(body, Array.from({ length: body.length }, () => length));
}

/** Bytes from 0xc0 stand for what a fuzzer would take long to guess, some of it long, for the limits: that is there three times at most. */
function withTokens(body: Buffer, boundary: string): Buffer {
  const tokens = [
    `--${boundary}`, `\r\n--${boundary}\r\n`, `\r\n--${boundary}--\r\n`, '\r\n', '\r\n\r\n', 'content-disposition: form-data; name="a"\r\n\r\n', 'Content-Disposition: form-data', '; name=', '; filename="',
    '"b c"', '\xc3\xa9', 'content-type: multipart/mixed\r\n', 'content-transfer-encoding: ', `; name="a"\r\n`, ' '.repeat(31), LONG_LINE,
  ];
  let longLines = 0;
  const fits = (token: string): boolean => token !== LONG_LINE || longLines++ < 3;
  return Buffer.concat(Array.from(body, (byte) => {
    const token = byte < 0xc0 ? String.fromCharCode(byte) : tokens[byte % tokens.length]!;
    return Buffer.from(fits(token) ? token : '', 'latin1');
  }));
}

const LONG_LINE = `x: ${'y'.repeat(4087)}\r\n`;
