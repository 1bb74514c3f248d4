import { describe, expect, it, test } from 'vitest';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { writeValue } from '../../src/secrets/write-value.ts';

/** Letters, the punctuation every encoder treats differently, a space and two characters beyond ASCII. */
const value = `aZ9-_.~!*'()+/=&<>"\\ ;:@é🔑`;
const texts = (of: string): string[] => encodedForms(of).map(({ text }) => text);
const html = (entities: Record<string, string>): string =>
  Array.from(value, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', ...entities })[char] ?? char).join('');
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
    ["Python's html.escape", html({ '"': '&quot;', "'": '&#x27;' })],
    ["Go's html.EscapeString", html({ '"': '&#34;', "'": '&#39;' })],
    ["PHP's htmlspecialchars", html({ '"': '&quot;', "'": '&#039;' })],
    ['XML', html({ '"': '&quot;', "'": '&apos;' })],
    ['an HTML text node', html({})],
    ['mustache.js', html({ '"': '&quot;', "'": '&#39;', '/': '&#x2F;', '=': '&#x3D;', '`': '&#x60;' })],
    ['every character a decimal entity', Array.from(value, (char) => `&#${char.codePointAt(0)};`).join('')],
    ['every character an entity of four decimal digits', Array.from(value, (char) => `&#${String(char.codePointAt(0)).padStart(4, '0')};`).join('')],
    ['every character an entity of four hexadecimal digits', Array.from(value, (char) => `&#x${char.codePointAt(0)!.toString(16).padStart(4, '0')};`).join('')],
    ['every character a hexadecimal entity', Array.from(value, (char) => `&#x${char.codePointAt(0)!.toString(16)};`).join('')],
  ])('%s', (_, written) => {
    expect(texts(value)).toContain(latin1(written));
  });
});

test('UTF-16 in both byte orders', () => {
  const bytes = Buffer.from(value, 'utf16le');
  expect(texts(value)).toContain(bytes.toString('latin1'));
  expect(texts(value)).toContain(Buffer.from(bytes).swap16().toString('latin1'));
});

test('UTF-16 of a narrow value is found in both byte orders, and no needle begins with NUL', () => {
  const narrow = 'aB3dE6gé';
  const forms = encodedForms(narrow).filter(({ encoding }) => encoding === 'utf-16');
  expect(forms).toHaveLength(1);
  for (const swap of [false, true]) {
    const inOrder = (of: string) => (swap ? Buffer.from(of, 'utf16le').swap16() : Buffer.from(of, 'utf16le')).toString('latin1');
    expect(inOrder(`<${narrow}>`).replace(forms[0]!.text, forms[0]!.write('DECOY_01'))).toBe(inOrder('<DECOY_01>'));
  }
  expect(encodedForms(narrow).filter(({ text }) => text.startsWith('\0'))).toEqual([]);
});

test.each(['', 'u', 'us'].flatMap((before) => ['', 'v', 'vw'].map((around) => [before, around])))('base64 of base64, behind %j and %j', (before, around) => {
  const secret = 'aB3dE6gH';
  const whole = Buffer.from(around + Buffer.from(`${before}${secret}\n`).toString('base64')).toString('base64');
  expect(texts(secret).some((text) => whole.includes(text))).toBe(true);
});

test('what has hexadecimal digits is there in both cases, and one form stands for all mixtures', () => {
  const forms = encodedForms('key=/?öß-aB3dE6gH');
  for (const { text, orText } of forms.filter(({ encoding }) => encoding === 'percent' || encoding === 'json' || encoding === 'hex')) {
    if (orText === undefined) continue;
    expect(orText).not.toBe(text);
    expect(orText.toLowerCase()).toBe(text.toLowerCase());
    expect(forms.some((form) => form.text === orText)).toBe(true);
  }
  expect(forms.filter(({ orText }) => orText !== undefined).length).toBeGreaterThan(8);
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

test.each([
  ['JSON in JSON', 'cs+/=&x\\\\\\"0123456789', (value: string) => JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1)],
  ['a URL in a URL', 'cs%252B%252F%253D%2526x%25220123456789', (value: string) => encodeURIComponent(encodeURIComponent(value))],
  ['JSON in a URL', 'cs%2B%2F%3D%26x%5C%220123456789', (value: string) => encodeURIComponent(JSON.stringify(value).slice(1, -1))],
  ['HTML in HTML', 'cs+/=&amp;amp;x&amp;quot;0123456789', (value: string) => escapeHtml(escapeHtml(value))],
  ['entities for all but letters and digits', 'cs&#43;&#47;&#61;&#38;x&#34;0123456789', (value: string) => value.replace(/[^A-Za-z0-9]/g, (char) => `&#${char.charCodeAt(0)};`)],
  ['JSON in HTML', 'cs+/=&amp;x\\&quot;0123456789', (value: string) => escapeHtml(JSON.stringify(value).slice(1, -1))],
])('%s', (_, text, write) => {
  const value = 'cs+/=&x"0123456789';
  expect(write(value)).toBe(text);
  expect(texts(value)).toContain(text);
});

test('a value that no escape changes has no more forms for being escaped twice', () => {
  expect(texts('sk-aB3dE6gH_0123456789').filter((text) => /^[\w-]+$/.test(text) && text.startsWith('sk-'))).toEqual(['sk-aB3dE6gH_0123456789']);
});

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
