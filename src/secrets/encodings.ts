export type Encoding = 'raw' | 'percent' | 'json' | 'hex' | 'base64';

/** One way a value may be written. Text is latin1: one character a byte, as Node gives headers. */
export type Form = {
  encoding: Encoding;
  text: string;
  /** Another value written the same way, to stand in this one's place. */
  write(other: string): string;
};

/**
 * The forms in which a value is looked for, each text once, `raw` first (docs/secrets.md has them as a table):
 * - raw: its UTF-8 bytes;
 * - percent: as encodeURI, encodeURIComponent, RFC 3986 and the form serialiser write it, everything but letters and
 *   digits, and every byte; with upper- and lower-case digits;
 * - json: the shortest escapes; `\/` (PHP); non-ASCII as \u (Python); `<>&` as \u (Go); all punctuation as \u (.NET);
 *   every character; with upper- and lower-case digits;
 * - hex: upper or lower case;
 * - base64, both alphabets, at all three alignments (inside Basic credentials too), also in JSON with `\/` or percent-encoded.
 *
 * Not found, as no list of forms can be complete: escapes of only some characters otherwise than above or within each
 * other (headers and URLs are unescaped as well, see unescapings.ts), base64 broken into lines or within base64, UTF-16,
 * compression or encryption, a reversed, cut or spaced-out value.
 */
export function encodedForms(value: string): Form[] {
  const forms = new Map<string, Form>();
  for (const { encoding, write } of WRITERS) {
    const text = write(value);
    if (!forms.has(text)) forms.set(text, { encoding, text, write });
  }
  for (const write of BASE64_FINISHES) {
    for (const lead of [0, 1, 2]) {
      const inner = base64Inner(value, lead);
      const text = write(inner);
      if (forms.has(text)) continue;
      forms.set(text, { encoding: 'base64', text, write: (other) => write(fill(base64Inner(other, lead), inner.length)) });
    }
  }
  return [...forms.values()];
}

type Writer = { encoding: Encoding; write: (value: string) => string };

const WRITERS: readonly Writer[] = [
  { encoding: 'raw', write: utf8 },
  ...[
    /[\w!#$&'()*+,\-./:;=?@~]/, // encodeURI
    /[\w!'()*\-.~]/, // encodeURIComponent
    /[\w\-.~]/, // RFC 3986, section 2.3
    /[\w*\-. ]/, // application/x-www-form-urlencoded, URL Standard section 5.2; the space becomes a plus sign
    /[\w\-./~]/, // Python's urllib.parse.quote
    /[\w\-.~:]/, // as write-value.ts puts it into a path
    /[A-Za-z0-9]/,
    /[]/,
  ].flatMap((kept) => bothCases((value, cased) => percent(value, kept, cased)).map((write): Writer => ({ encoding: 'percent', write }))),
  ...[
    { escaped: /[]/, slash: false },
    { escaped: /[]/, slash: true },
    { escaped: /[^\x00-\x7f]/, slash: false },
    { escaped: /[^\x00-\x7f]/, slash: true },
    { escaped: /[<>&\u2028\u2029]/, slash: false },
    { escaped: /[^\x00-\x7f]|["&'+<>`]/, slash: false },
    { escaped: /[^A-Za-z0-9]/, slash: false },
    { escaped: /[^]/, slash: false },
  ].flatMap((style) => bothCases((value, cased) => json(value, style, cased)).map((write): Writer => ({ encoding: 'json', write }))),
  ...bothCases((value, cased) => cased(Buffer.from(value).toString('hex'))).map((write): Writer => ({ encoding: 'hex', write })),
];

const BASE64_FINISHES: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replaceAll('+', '-').replaceAll('/', '_'),
  (text) => text.replaceAll('/', '\\/'),
  (text) => text.replaceAll('+', '%2B').replaceAll('/', '%2F'),
  (text) => text.replaceAll('+', '%2b').replaceAll('/', '%2f'),
];

type Cased = (hex: string) => string;

function bothCases(write: (value: string, cased: Cased) => string): ((value: string) => string)[] {
  return [(value) => write(value, (hex) => hex.toUpperCase()), (value) => write(value, (hex) => hex.toLowerCase())];
}

function utf8(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

function percent(value: string, kept: RegExp, cased: Cased): string {
  return Array.from(utf8(value), (char) => {
    if (char === ' ' && kept.test(char)) return '+';
    return kept.test(char) ? char : `%${cased(hexDigits(char, 2))}`;
  }).join('');
}

function json(value: string, { escaped, slash }: { escaped: RegExp; slash: boolean }, cased: Cased): string {
  const text = Array.from(value, (char) => {
    if (escaped.test(char)) return char.split('').map((unit) => `\\u${cased(hexDigits(unit, 4))}`).join('');
    return char === '/' && slash ? '\\/' : JSON.stringify(char).slice(1, -1);
  });
  return utf8(text.join(''));
}

function hexDigits(unit: string, digits: number): string {
  return unit.charCodeAt(0).toString(16).padStart(digits, '0');
}

/**
 * The base64 characters that depend on the value alone when `lead` bytes of its first group of three belong to a
 * neighbour: RFC 4648, section 4. The character shared with a neighbour is left out on either side, so at most the first
 * and last four bits of a value stay when these are replaced.
 */
function base64Inner(value: string, lead: number): string {
  const bytes = Buffer.concat([Buffer.alloc(lead), Buffer.from(value, 'utf8')]);
  return bytes.toString('base64').slice(Math.ceil((lead * 8) / 6), Math.floor((bytes.length * 8) / 6));
}

/**
 * Cut or repeated to a length: within base64 the characters after a replacement keep their place in the groups of
 * four, and the padding stays right, only if the length does. A shorter or longer placeholder is thus seen cut or repeated there.
 */
function fill(text: string, length: number): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}
