import { describe, expect, it, test } from 'vitest';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { writeValue } from '../../src/secrets/write-value.ts';

/** Letters, the punctuation every encoder treats differently, a space and two characters beyond ASCII. */
const value = `aZ9-_.~!*'()+/=&<>"\\ ;:@é🔑`;
const texts = (of: string): string[] => encodedForms(of).map(({ text }) => text);
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

describe('what real programs write is among the forms', () => {
  test.each([
    ['as it is', value],
    ['encodeURI', encodeURI(value)],
    ['encodeURIComponent', encodeURIComponent(value)],
    ['encodeURIComponent in lower case', encodeURIComponent(value).replaceAll(/%../g, (hex) => hex.toLowerCase())],
    ['URLSearchParams', new URLSearchParams([['x', value]]).toString().slice(2)],
    ['every byte percent-encoded', Array.from(Buffer.from(value), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')],
    ['JSON.stringify', JSON.stringify(value).slice(1, -1)],
    ['JSON of PHP', String.raw`aZ9-_.~!*'()+\/=&<>\"\\ ;:@\u00e9\ud83d\udd11`],
    ['JSON of Python', String.raw`aZ9-_.~!*'()+/=&<>\"\\ ;:@\u00e9\ud83d\udd11`],
    ['JSON of Go', String.raw`aZ9-_.~!*'()+/=\u0026\u003c\u003e\"\\ ;:@é🔑`],
    ['every character escaped', value.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
    ...(['raw', 'query', 'segment', 'json'] as const).map((writing): [string, string] => [`what Decoy puts in, ${writing}`, Buffer.from(writeValue(value, writing), 'latin1').toString()]),
    ['hex', Buffer.from(value).toString('hex')],
    ['upper-case hex', Buffer.from(value).toString('hex').toUpperCase()],
  ])('%s', (_, written) => {
    expect(texts(value)).toContain(latin1(written));
  });
});

describe('base64 is found whatever stands before and behind, in both alphabets', () => {
  const neighbours = ['', 'u', 'u:', 'usr', 'user:', 'user@example.com:'];
  test.each(neighbours.flatMap((before) => ['', '\n', '"}', 'abc'].map((after) => [before, after])))('%j … %j', (before, after) => {
    for (const secret of ['aB3dE6gH', 'sk-proj-aB3dE6gH9jK2', '>>>???>>>???>>>???']) {
      for (const alphabet of ['base64', 'base64url'] as const) {
        const whole = Buffer.from(before + secret + after).toString(alphabet);
        const found = encodedForms(secret).filter(({ encoding, text }) => encoding === 'base64' && whole.includes(text));
        expect(found.length).toBeGreaterThan(0);
        // what is left around it is too little to hold more than half a byte of the secret on either side
        expect(found[0]!.text.length * 6).toBeGreaterThanOrEqual(secret.length * 8 - 10);
      }
    }
  });
});

describe('what is written in place of a form', () => {
  it('is in the same encoding', () => {
    for (const { encoding, text, write } of encodedForms('a/b c"d~e+f')) {
      if (encoding !== 'base64') expect(texts('X/Y Z"x~y+z')).toContain(write('X/Y Z"x~y+z'));
      expect(write('a/b c"d~e+f')).toBe(text);
    }
  });

  it('has the same number of base64 characters, so that those behind it stay in their groups', () => {
    const secret = 'aB3dE6gH';
    const placeholder = `DECOY_${'0'.repeat(48)}`;
    for (const before of ['', 'u', 'us']) {
      const whole = Buffer.from(`${before}${secret}, and more`).toString('base64');
      const form = encodedForms(secret).find(({ encoding, text }) => encoding === 'base64' && whole.includes(text))!;
      const decoded = Buffer.from(whole.replace(form.text, form.write(placeholder)), 'base64').toString('latin1');
      expect(decoded).toHaveLength(before.length + secret.length + 10);
      expect(decoded.endsWith(', and more')).toBe(true);
      expect(decoded).toContain('ECOY_');
    }
  });
});

it('has no form twice and none shorter than the value', () => {
  expect(new Set(texts(value)).size).toBe(texts(value).length);
  for (const { text } of encodedForms('aB3dE6gH')) expect(text.length).toBeGreaterThanOrEqual(8);
});
