import { messageFraming } from '../../src/proxy/message-framing.ts';
import { createMessageReader } from '../../src/proxy/read-messages.ts';
import { scrubMessages, type AnswerProblem } from '../../src/proxy/scrub-messages.ts';
import { check, cut, readBytes } from './bytes.ts';
import { compiledFuzzedSecrets, fuzzedSecrets, withTokens } from './secrets.ts';

/** Rows of messages, right and wrong: their ends are those of the definition, and scrubbed, they give the same for all cuts and no real value. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const [contentType, flags] = protocols[bytes.below(protocols.length)]!;
  const lengths = Array.from({ length: bytes.below(32) }, () => bytes.below(17));
  const lie = bytes.below(4);
  const messages = bytes.rest().toString('latin1').split('\n').map((text, at) => frame(Buffer.from(withTokens(text), 'latin1'), { flags: flags[at % flags.length]!, lie: at === 1 ? lie : 0 }));
  const stream = Buffer.concat(messages);
  const framing = messageFraming(['content-type', contentType])!;

  const reader = createMessageReader(framing);
  const expected = readByDefinition(stream, flags);
  const read = reader.push(stream);
  check(read.ok === (expected !== null) && (!read.ok || read.ends.join() === expected!.join()), 'messages end where the definition says');

  const whole = scrub([stream], contentType);
  const inPieces = scrub(cut(stream, lengths), contentType);
  check(whole.problem === inPieces.problem, 'cuts change nothing of what is wrong');
  if (whole.problem === null) check(whole.out.equals(inPieces.out), 'cuts change nothing');
  if (expected === null) check(whole.problem !== null, 'what is no message is not passed on');
  for (const { value } of fuzzedSecrets) {
    for (const form of [Buffer.from(value), Buffer.from(value, 'utf16le'), Buffer.from(Buffer.from(value).toString('hex'))]) {
      check(!whole.out.includes(form) && !inPieces.out.includes(form), 'no real value');
    }
  }
}

const protocols: readonly [contentType: string, flags: readonly number[]][] = [['application/grpc', [0]], ['application/grpc-web', [0, 0x80]], ['application/connect+json', [0, 2]]];

/** `lie`: a length that is too short or too long, or flags of a compressed message. */
function frame(body: Buffer, { flags, lie }: { flags: number; lie: number }): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(lie === 3 ? flags | 1 : flags);
  prefix.writeUInt32BE(Math.max(0, body.length + [0, -3, 3, 0][lie]!), 1);
  return Buffer.concat([prefix, body]);
}

/** Where messages end; null where one is none. */
function readByDefinition(stream: Buffer, flags: readonly number[]): number[] | null {
  const ends: number[] = [];
  for (let at = 0; at < stream.length;) {
    if (!flags.includes(stream[at]!)) return null;
    if (at + 5 > stream.length) return ends;
    at += 5 + stream.readUInt32BE(at + 1);
    if (at <= stream.length) ends.push(at);
  }
  return ends;
}

function scrub(pieces: readonly Buffer[], contentType: string): { out: Buffer; problem: string | null } {
  const problems: AnswerProblem[] = [];
  const body = compiledFuzzedSecrets.scrubberFor('api.test')!.createBodyScrubber();
  const messages = scrubMessages(body, { framing: messageFraming(['content-type', contentType])!, onProblem: (problem) => void problems.push(problem) });
  const out = Buffer.concat([...pieces.map((piece) => Buffer.from(messages.push(piece))), messages.flush()]);
  check(problems.length <= 1, 'one problem at most is told');
  return { out, problem: problems[0]?.kind ?? null };
}
