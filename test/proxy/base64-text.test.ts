import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBase64Reader } from '../../src/proxy/base64-reader.ts';
import { createBase64Writer } from '../../src/proxy/base64-writer.ts';
import { keepLength } from '../../src/proxy/keep-length.ts';
import { messageFraming } from '../../src/proxy/message-framing.ts';
import { scrubMessages, type AnswerProblem } from '../../src/proxy/scrub-messages.ts';
import { scrubTextMessages } from '../../src/proxy/text-messages.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { bodyWith, bodyWithout, chunkLengths, cutAt } from '../secrets/arbitraries.ts';
import { writtenForms } from '../secrets/written-forms.ts';
import { framed } from './frames.ts';

const value = 'kR7-0123_45mnopQRSTuvWXYZabcdefgh';
const [secret] = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]) as [ReturnType<typeof mintSecrets>[number]];
const secrets = compileSecrets([secret]);
const scrubber = secrets.scrubberFor('api.test')!;
const framing = messageFraming(['Content-Type', 'application/grpc-web-text'])!;

const segments = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)), { maxLength: 8 });
const encode = (parts: readonly Buffer[]) => Buffer.from(parts.map((part) => part.toString('base64')).join(''));
const decode = (text: Buffer) => Buffer.concat((text.toString('latin1').match(/[^=]+={0,2}/g) ?? []).map((segment) => Buffer.from(segment, 'base64')));

describe('a reader of base64', () => {
  test('gives each byte as soon as its characters are there, and a writer the same text again, however both are cut', () => {
    fc.assert(fc.property(segments, chunkLengths, chunkLengths, (parts, lengths, otherLengths) => {
      const text = encode(parts);
      const reader = createBase64Reader();
      const writer = createBase64Writer();
      let characters = Buffer.alloc(0);
      const bytes: Buffer[] = [];
      for (const chunk of cutAt(text, lengths)) {
        const read = reader.push(chunk)!;
        read.segmentEnds.forEach(writer.endSegment);
        bytes.push(read.bytes);
        characters = Buffer.concat([characters, chunk]);
        expect(Buffer.concat(bytes).equals(decode(characters))).toBe(true);
      }
      expect(reader.isWhole()).toBe(true);
      expect(Buffer.concat(cutAt(Buffer.concat(bytes), otherLengths).map(writer.push)).toString()).toBe(text.toString());
    }), { numRuns: 300 });
  });

  test.each(['QQ', 'QQ=', 'QQI', 'QQIDA'])('%j is not whole', (text) => {
    const reader = createBase64Reader();
    expect(reader.push(Buffer.from(text))).not.toBeNull();
    expect(reader.isWhole()).toBe(false);
  });

  test.each(['Q===', '=QQQ', 'Q=QQ', 'QQ=Q', '====', 'QR==', 'QQJ=', 'QQ==Q=', 'QQ-_', 'QQQ\n', 'QQQQ\r\n', ' QQQ', 'QQQ\0', 'QQQ\xd1'])('%j is no base64, and nothing behind it is read', (text) => {
    for (const chunks of [[text], Array.from(text)]) {
      const reader = createBase64Reader();
      expect(chunks.map((chunk) => reader.push(Buffer.from(chunk, 'latin1'))).at(-1)).toBeNull();
      expect([reader.push(Buffer.from('QQQQ')), reader.isWhole()]).toEqual([null, false]);
    }
  });
});

function scrub(chunks: readonly Buffer[]): { out: Buffer; problems: AnswerProblem[] } {
  const problems: AnswerProblem[] = [];
  const onProblem = (problem: AnswerProblem) => void problems.push(problem);
  // Some forms of a placeholder are longer, as entities of three digits are.
  const sameLength = keepLength(scrubber.createBodyScrubber(), () => onProblem({ kind: 'malformed' }));
  const messages = scrubMessages(sameLength, { framing, onProblem });
  const text = scrubTextMessages(messages, { text: scrubber.createBodyScrubber({ endBytes: 6 }), onProblem });
  return { out: Buffer.concat([...chunks.map((chunk) => text.push(chunk)), text.flush()]), problems };
}

/** Messages in base64, in segments that end anywhere. */
const textOf = (message: fc.Arbitrary<Buffer>) => fc.tuple(fc.array(message, { maxLength: 4 }), chunkLengths).map(([messages, lengths]) => encode(cutAt(Buffer.concat(messages.map((body) => framed(body))), lengths)));

describe('messages in base64', () => {
  test('pass to the byte where they hold no secret, however they are cut', () => {
    fc.assert(fc.property(textOf(bodyWithout(value)), chunkLengths, (text, lengths) => {
      const { out, problems } = scrub(cutAt(text, lengths));
      expect([out.toString(), problems]).toEqual([text.toString(), []]);
    }), { numRuns: 200 });
  });

  test('hold no form of one afterwards, and the same for all cuts', () => {
    fc.assert(fc.property(textOf(bodyWith(value)), chunkLengths, (text, lengths) => {
      const { out, problems } = scrub(cutAt(text, lengths));
      const whole = scrub([text]);
      expect(problems).toEqual(whole.problems);
      if (problems.length === 0) expect(out.toString()).toBe(whole.out.toString());
      expect(problems.length === 0 || problems[0]!.kind === 'malformed').toBe(true);
      const decoded = decode(out).toString('latin1');
      expect(writtenForms(value).filter((form) => decoded.includes(form.text))).toEqual([]);
    }), { numRuns: 200 });
  });
});
