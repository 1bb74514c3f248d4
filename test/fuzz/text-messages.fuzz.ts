import { keepLength } from '../../src/proxy/keep-length.ts';
import { messageFraming } from '../../src/proxy/message-framing.ts';
import { scrubMessages, type AnswerProblem } from '../../src/proxy/scrub-messages.ts';
import { scanTextMessages, scrubTextMessages } from '../../src/proxy/text-messages.ts';
import { check, cut, readBytes } from './bytes.ts';
import { compiledFuzzedSecrets, fuzzedSecrets, withTokens } from './secrets.ts';

/**
 * Messages in base64, in segments that end anywhere, right and wrong: what is read is what the definition of base64 says; scrubbed, they are the
 * same for all cuts, of the same length and padded in the same places, without a real value in the text or in what it stands for.
 */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const lengths = Array.from({ length: bytes.below(32) }, () => bytes.below(17));
  const segmentLengths = Array.from({ length: bytes.below(8) }, () => 1 + bytes.below(24));
  const isRaw = bytes.below(4) === 0;
  const body = bytes.rest().toString('latin1');
  const text = isRaw ? Buffer.from(withTokens(body), 'latin1') : encode(Buffer.concat(body.split('\n').map(frame)), segmentLengths);

  const decoded = decodeByDefinition(text.toString('latin1'));
  const seen: Buffer[] = [];
  const keep = (chunk: Buffer) => {
    seen.push(Buffer.from(chunk));
    return null;
  };
  const scan = scanTextMessages({ push: keep }, { push: () => null });
  const isBase64 = cut(text, lengths).every((chunk) => scan.push(chunk) === null);
  // What ends within a group may still become base64.
  if (decoded !== null) check(isBase64 && Buffer.concat(seen).equals(decoded), 'base64 is read as the definition says');

  const whole = scrub([text]);
  const inPieces = scrub(cut(text, lengths));
  check((whole.problem === null) === (inPieces.problem === null), 'cuts do not change whether something is wrong');
  if (decoded === null) check(whole.problem !== null, 'what is no base64 is not passed on whole');
  if (whole.problem === null) {
    check(whole.out.equals(inPieces.out), 'cuts change nothing');
    check(whole.out.length === text.length && paddingOf(whole.out) === paddingOf(text), 'length and padding stay');
  }
  for (const { out } of [whole, inPieces]) {
    const readings = [out, decodeByDefinition(out.toString('latin1').slice(0, out.length - (out.length % 4))) ?? out];
    for (const { value } of fuzzedSecrets) {
      for (const form of [Buffer.from(value), Buffer.from(value, 'utf16le'), Buffer.from(Buffer.from(value).toString('hex'))]) {
        check(readings.every((reading) => !reading.includes(form)), 'no real value');
      }
    }
  }
}

function frame(line: string, at: number): Buffer {
  const body = Buffer.from(withTokens(line), 'latin1');
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(at % 3 === 2 ? 0x80 : 0);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

/** A text for each segment; the rest is the last. */
function encode(bytes: Buffer, segmentLengths: readonly number[]): Buffer {
  const segments: string[] = [];
  let from = 0;
  for (const length of [...segmentLengths, bytes.length]) {
    segments.push(bytes.toString('base64', from, from + length));
    from = Math.min(bytes.length, from + length);
  }
  return Buffer.from(segments.join(''), 'latin1');
}

/** RFC 4648, section 4, group by group; null where a group is none. */
function decodeByDefinition(text: string): Buffer | null {
  const groups = text.match(/[^]{1,4}/g) ?? [];
  const parts = groups.map((group) => Buffer.from(group, 'base64'));
  return groups.every((group, at) => group.length === 4 && parts[at]!.toString('base64') === group) ? Buffer.concat(parts) : null;
}

function paddingOf(text: Buffer): string {
  return text.toString('latin1').replaceAll(/[^=]/g, '.');
}

function scrub(pieces: readonly Buffer[]): { out: Buffer; problem: string | null } {
  const problems: string[] = [];
  const scrubber = compiledFuzzedSecrets.scrubberFor('api.test')!;
  const onProblem = (problem: AnswerProblem) => void problems.push(problem.kind);
  const sameLength = keepLength(scrubber.createBodyScrubber(), () => void problems.push('other-length'));
  const messages = scrubMessages(sameLength, { framing: messageFraming(['content-type', 'application/grpc-web-text'])!, onProblem });
  const text = scrubTextMessages(messages, { text: scrubber.createBodyScrubber({ endBytes: 6 }), onProblem });
  const out = Buffer.concat([...pieces.map((piece) => Buffer.from(text.push(piece))), text.flush()]);
  return { out, problem: problems[0] ?? null };
}
