import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { messageFraming } from '../../src/proxy/message-framing.ts';
import { createMessageReader } from '../../src/proxy/read-messages.ts';
import { scrubMessages, type AnswerProblem } from '../../src/proxy/scrub-messages.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { encodedForms, type Form } from '../../src/secrets/encodings.ts';
import { bodyWith, bodyWithout, chunkLengths, cutAt } from '../secrets/arbitraries.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { canBeReadIn, writtenForms } from '../secrets/written-forms.ts';
import { framed } from './frames.ts';

const value = 'kR7/0123+45="<&>\\mnopQRSTu';
const secret = boundSecret('KEY', value, 'api.test');
const scrubber = compileSecrets([secret]).scrubberFor('api.test')!;
/** How much of a form the end of a message may show: as much as is known from the placeholder, four bytes at least. */
function shownBytes({ text, write }: Form): number {
  const written = write(secret.placeholder);
  return Math.max(4, Array.from(text).findIndex((char, at) => char !== written[at]));
}
const protocols = { 'application/grpc': [0], 'application/grpc-web+proto': [0, 0x80], 'application/connect+json': [0, 2] };
type Protocol = keyof typeof protocols;
const protocolNames = Object.keys(protocols) as Protocol[];
const framingOf = (contentType: string) => messageFraming(['Content-Type', contentType]);

function pass(chunks: readonly Buffer[], contentType: Protocol = 'application/grpc'): { pieces: string[]; out: string; problems: AnswerProblem[] } {
  const problems: AnswerProblem[] = [];
  const messages = scrubMessages(scrubber.createBodyScrubber(), { framing: framingOf(contentType)!, onProblem: (problem) => void problems.push(problem) });
  const pieces = [...chunks.map((chunk) => messages.push(chunk).toString('latin1')), messages.flush().toString('latin1')];
  return { pieces, out: pieces.join(''), problems };
}

const bytewise = (stream: Buffer) => cutAt(stream, [1]);

function streamOf(message: fc.Arbitrary<Buffer>): fc.Arbitrary<{ protocol: Protocol; stream: Buffer; messages: Buffer[] }> {
  return fc.constantFrom(...protocolNames).chain((protocol) => fc.array(fc.tuple(message, fc.constantFrom(...protocols[protocol])), { maxLength: 6 }).map((rows) => {
    const messages = rows.map(([body, flags]) => framed(body, flags));
    return { protocol, messages, stream: Buffer.concat(messages) };
  }));
}

describe('which bodies are rows of messages', () => {
  test.each([
    ['application/grpc', [0]], ['application/grpc+proto', [0]], ['Application/gRPC; x=y', [0]], ['application/grpc-web', [0, 0x80]], ['application/grpc-web+proto', [0, 0x80]],
    ['application/connect+proto', [0, 2]], ['application/connect+json', [0, 2]], ['application/grpc-web-text', [0, 0x80]], ['application/grpc-web-text+proto', [0, 0x80]], ['application/grpc-web-texts', null], ['application/grpcx', null], ['application/connect', null], ['application/proto', null], ['application/json', null],
  ])('%s: %j', (contentType, flags) => {
    expect(framingOf(contentType)).toEqual(flags === null ? null : { flags: new Set(flags), isText: contentType.includes('text') });
  });
});

describe('a reader of messages', () => {
  test('finds their ends, however they are cut', () => {
    fc.assert(fc.property(streamOf(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))), chunkLengths, ({ protocol, stream, messages }, lengths) => {
      const reader = createMessageReader(framingOf(protocol)!);
      const found: number[] = [];
      let before = 0;
      for (const chunk of cutAt(stream, lengths)) {
        const read = reader.push(chunk);
        if (!read.ok) throw new Error(read.problem);
        found.push(...read.ends.map((end) => before + end));
        before += chunk.length;
      }
      let end = 0;
      expect(found).toEqual(messages.map(({ length }) => { end += length; return end; }));
    }));
  });

  test.each(protocolNames)('of %s takes uncompressed messages alone, and nothing after others', (protocol) => {
    for (let flags = 0; flags < 256; flags += 1) {
      const reader = createMessageReader(framingOf(protocol)!);
      const isKnown = protocols[protocol].includes(flags);
      const isCompressed = flags % 2 === 1 && protocols[protocol].includes(flags - 1);
      const refused = { ok: false, problem: isCompressed ? 'compressed' : 'malformed' };
      expect(reader.push(Buffer.concat([framed('a'), Buffer.from([flags])]))).toEqual(isKnown ? { ok: true, ends: [6] } : refused);
      if (!isKnown) expect(reader.push(framed('b'))).toEqual(refused);
    }
  });
});

describe('the scrubber of messages', () => {
  test('passes what holds no secret to the byte, however it is cut', () => {
    fc.assert(fc.property(streamOf(bodyWithout(value)), chunkLengths, ({ protocol, stream }, lengths) => {
      expect(pass(cutAt(stream, lengths), protocol)).toMatchObject({ out: stream.toString('latin1'), problems: [] });
    }), { numRuns: 300 });
  });

  test('lets no form of a secret through, and gives the same for all cuts', () => {
    fc.assert(fc.property(streamOf(bodyWith(value)), chunkLengths, ({ protocol, stream }, lengths) => {
      const { out, problems } = pass(cutAt(stream, lengths), protocol);
      expect(problems).toEqual([]);
      expect(out).toBe(pass([stream], protocol).out);
      expect(writtenForms(value).filter(({ text }) => out.includes(text))).toEqual([]);
      for (const piece of out.split('\0\0')) expect(canBeReadIn(piece, value)).toBe(false);
    }), { numRuns: 300 });
  });

  test('holds nothing of a message back that ends like a value begins, up to four bytes', () => {
    for (const { text } of encodedForms(value)) {
      for (let length = 1; length <= 4; length += 1) {
        const message = framed(`x${text.slice(0, length)}`).toString('latin1');
        for (const chunks of [[Buffer.from(message, 'latin1')], bytewise(Buffer.from(message, 'latin1'))]) {
          const { pieces } = pass(chunks);
          expect(pieces.slice(0, -1).join(''), JSON.stringify(text.slice(0, length))).toBe(message);
        }
      }
    }
  });

  test('nor what the placeholder begins with in the same form', () => {
    const key = boundSecret('KEY', `sk-proj-${value}`, 'api.test');
    const scrubberOfKey = compileSecrets([key]).scrubberFor('api.test')!;
    for (const { text, write } of encodedForms(key.value)) {
      const written = write(key.placeholder);
      const known = Array.from(text).findIndex((char, at) => char !== written[at]);
      for (const [length, isShown] of [[known, true], [Math.max(known, 4) + 1, false]] as const) {
        const body = scrubberOfKey.createBodyScrubber();
        const message = Buffer.from(`x${text.slice(0, length)}`, 'latin1');
        const shown = Buffer.concat([body.push(message), body.endMessage()]);
        expect(shown.length, JSON.stringify(text.slice(0, length))).toBe(isShown ? message.length : 1);
      }
    }
  });

  test('with more of one it waits for the next message, and passes both', () => {
    for (const form of encodedForms(value)) {
      const length = shownBytes(form) + 1;
      const [first, next] = [framed(`x${form.text.slice(0, length)}`), framed('next')];
      const { pieces, problems } = pass([first, next]);
      expect(pieces[0]).toBe(first.subarray(0, -length).toString('latin1'));
      expect([pieces.join(''), problems]).toEqual([Buffer.concat([first, next]).toString('latin1'), []]);
    }
  });

  test('with a message end in the middle of a form, at any place, passes no more than four bytes of it', () => {
    for (const form of encodedForms(value)) {
      const { text } = form;
      for (let at = 1; at < text.length; at += 1) {
        const stream = Buffer.concat([framed(text.slice(0, at)), Buffer.from(text.slice(at), 'latin1'), framed('more')]);
        for (const chunks of [[stream], bytewise(stream)]) {
          const { out } = pass(chunks);
          expect(out, `${JSON.stringify(text)} cut at ${at}`).not.toContain(text.slice(0, shownBytes(form) + 1));
        }
      }
    }
  });

  test('and one whose rest is a prefix and messages, as in UTF-16, is stopped before it is whole', () => {
    const littleEndian = writtenForms(value).find(({ name }) => name === 'UTF-16, little-endian')!.text;
    const stream = Buffer.concat([framed(littleEndian.slice(0, 3)), Buffer.from(littleEndian.slice(3), 'latin1')]);
    for (const chunks of [[stream], bytewise(stream), cutAt(stream, [8, 2, 7])]) {
      const { out, problems } = pass(chunks);
      expect(problems).toEqual([{ kind: 'torn', secret: 'KEY' }]);
      expect(framed(littleEndian.slice(0, 3)).toString('latin1').startsWith(out)).toBe(true);
    }
  });

  test('a length that lies, or flags that are none, let no whole form through', () => {
    const lie = fc.record({ at: fc.nat(2_000), byte: fc.nat(255) });
    fc.assert(fc.property(streamOf(bodyWith(value)), fc.array(lie, { minLength: 1, maxLength: 4 }), chunkLengths, ({ protocol, messages }, lies, lengths) => {
      const starts = messages.map((_, index) => Buffer.concat(messages.slice(0, index)).length);
      const stream = Buffer.concat(messages);
      // In the five bytes before some message, so that the forms themselves stay.
      for (const { at, byte } of lies) if (starts.length > 0) stream[starts[at % starts.length]! + (at % 5)] = byte;
      const cut = pass(cutAt(stream, lengths), protocol);
      const whole = pass([stream], protocol);
      expect(cut.problems).toEqual(whole.problems);
      if (whole.problems.length === 0) expect(cut.out).toBe(whole.out);
      expect(writtenForms(value).filter(({ text }) => cut.out.includes(text))).toEqual([]);
    }), { numRuns: 300 });
  });
});
