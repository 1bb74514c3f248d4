import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { bodyWith, bodyWithout, chunkLengths, cutAt, secretValue } from './arbitraries.ts';
import { boundSecret } from './bound-secret.ts';
import { canBeReadIn, writtenForms } from './written-forms.ts';

const destination = { scheme: 'https', host: 'other.test', port: 443 } as const;
const secretsOf = (...values: string[]) => compileSecrets(values.map((value, at) => boundSecret(`KEY_${at}`, value, 'api.test')));

function scrub(secrets: ReturnType<typeof secretsOf>, chunks: Buffer[]): Buffer {
  const body = secrets.scrubberFor('api.test')!.createBodyScrubber();
  return Buffer.concat([...chunks.map((chunk) => body.push(chunk)), body.flush()]);
}

describe('for any secret and any body, however it is cut', () => {
  test('what holds no secret stays the same to the byte', () => {
    fc.assert(fc.property(secretValue.chain((value) => fc.tuple(fc.constant(value), bodyWithout(value), chunkLengths)), ([value, body, lengths]) => {
      expect(scrub(secretsOf(value), cutAt(body, lengths)).equals(body)).toBe(true);
    }), { numRuns: 150 });
  });

  test('no form of a secret comes out, and the cuts make no difference', () => {
    fc.assert(fc.property(secretValue.chain((value) => fc.tuple(fc.constant(value), bodyWith(value), chunkLengths)), ([value, body, lengths]) => {
      const secrets = secretsOf(value);
      const scrubbed = scrub(secrets, cutAt(body, lengths));
      expect(scrubbed.equals(scrub(secrets, [body]))).toBe(true);
      const even = secrets.scrubberFor('api.test')!.createEvenScrubber();
      expect(Buffer.concat([...cutAt(body, lengths).map((chunk) => even.push(chunk)), even.flush()]).equals(scrubbed)).toBe(true);
      expect(writtenForms(value).filter(({ text }) => scrubbed.includes(Buffer.from(text, 'latin1')))).toEqual([]);
      for (const piece of scrubbed.toString('latin1').split('\0\0')) expect(canBeReadIn(piece, value)).toBe(false);
    }), { numRuns: 150 });
  });

  test('of one cut at every offset no part of a form comes out', () => {
    fc.assert(fc.property(secretValue.chain((value) => fc.tuple(fc.constant(value), fc.constantFrom(...writtenForms(value)))), ([value, { text }]) => {
      const secrets = secretsOf(value);
      const body = Buffer.from(`<${text}>`, 'latin1');
      const whole = scrub(secrets, [body]);
      for (let at = 0; at <= body.length; at += 1) expect(scrub(secrets, [body.subarray(0, at), body.subarray(at)]).equals(whole)).toBe(true);
      expect(canBeReadIn(whole.toString('latin1'), value)).toBe(false);
    }), { numRuns: 80 });
  });

  test('a form that leaves is seen at the latest with its last byte, and nothing is seen where there is none', () => {
    fc.assert(fc.property(secretValue.chain((value) => fc.tuple(fc.constant(value), bodyWithout(value), fc.constantFrom(...writtenForms(value)), chunkLengths)), ([value, before, { text }, lengths]) => {
      const secrets = secretsOf(value);
      const harmless = secrets.createOutgoingScanner(destination);
      expect(cutAt(before, lengths).map((chunk) => harmless.push(chunk)).filter((refusal) => refusal !== null)).toEqual([]);
      const scanner = secrets.createOutgoingScanner(destination);
      const refusals = cutAt(Buffer.concat([before, Buffer.from(text, 'latin1')]), lengths).map((chunk) => scanner.push(chunk));
      expect(refusals.find((refusal) => refusal !== null)?.reason).toBe('real-secret-leaving');
    }), { numRuns: 150 });
  });

  test('a line that is finished is passed on at once', () => {
    fc.assert(fc.property(secretValue.filter((value) => /^[\x20-\x7e]+$/.test(value)).chain((value) => fc.tuple(fc.constant(value), bodyWith(value), fc.constantFrom('\n', '\r\n', '\r\r'))), ([value, body, end]) => {
      const scrubber = secretsOf(value).scrubberFor('api.test')!.createBodyScrubber();
      expect(scrubber.push(Buffer.concat([body, Buffer.from(end)])).toString('latin1').endsWith(end)).toBe(true);
      expect(scrubber.pendingBytes()).toBe(0);
      const even = secretsOf(value).scrubberFor('api.test')!.createEvenScrubber();
      const passed = Buffer.concat([even.push(Buffer.concat([body, Buffer.from(end)])), even.settle({ ifWhole: true })]);
      expect(passed.toString('latin1').endsWith(end)).toBe(true);
      expect(even.isBehind()).toBe(false);
    }), { numRuns: 100 });
  });
});
