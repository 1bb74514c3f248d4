import { base64Forms, inBase64 } from './base64-forms.ts';
import { hex, html, json, percent, utf16, utf8 } from './writers.ts';
import type { Cased } from './writers.ts';

export type Encoding = 'raw' | 'percent' | 'json' | 'html' | 'hex' | 'utf-16' | 'base64';

/** One way a value may be written. Text is latin1: one character a byte, as Node gives headers. */
export type Form = {
  encoding: Encoding;
  text: string;
  /** Each character may also be the one at its place here: a hexadecimal digit in the other case. */
  orText?: string;
  /** Another value written the same way, to stand in this one's place. */
  write(other: string): string;
};

/**
 * The forms in which a value is looked for, each text once, `raw` first (docs/secrets.md has them as a table):
 * - raw: its UTF-8 bytes;
 * - percent: as encodeURI, encodeURIComponent, RFC 3986 and the form serialiser write it, everything but letters and
 *   digits, and every byte;
 * - json: the shortest escapes; `\/` (PHP); non-ASCII as \u (Python); `<>&` as \u (Go); all punctuation as \u (.NET);
 *   every character;
 * - html: the named entities, with the ways to write quotation marks; slash, equals sign and backtick; every character;
 * - hex; UTF-16 in both byte orders;
 * - base64, both alphabets, at all three alignments (inside Basic credentials too), also in JSON with `\/`, percent-encoded, or twice.
 * - twice: JSON within JSON, percent within percent, JSON within percent, html within html, and JSON and html within each other.
 * Hexadecimal digits may be in either case, and in both: what is all upper-case is replaced so, anything else by lower-case digits.
 *
 * Not found, as no list of forms can be complete: escapes of only some characters otherwise than above, three within each
 * other or two in another order (headers and URLs of requests are unescaped as well, see unescapings.ts), base64 broken into lines, compression or encryption, a
 * reversed, cut or spaced-out value.
 */
export function encodedForms(value: string): Form[] {
  const forms = new Map<string, Form>();
  // Most secrets are plain: leaving out what would write them as they are again takes three quarters off their compilation.
  const writers = /^[\w-]+$/.test(value) ? WRITERS : [...WRITERS, ...TWICE];
  const inUtf16 = utf16Forms(value);
  const written = writers.flatMap((writer) => casedForms(writer, value));
  const plain = { text: utf8(value), write: utf8 };
  const coded = [...WRITERS_CODED.flatMap((writer) => casedForms(writer, value)), ...inUtf16].filter(({ text }) => text !== plain.text);
  for (const form of [...written, ...inUtf16, ...base64Forms(plain), ...coded.flatMap(inBase64)]) {
    if (!forms.has(form.text)) forms.set(form.text, form);
  }
  return [...forms.values()];
}

type Writer = { encoding: Encoding; write: (value: string, cased: Cased) => string };

const KEPT_BY_ENCODE_URI = /[\w!#$&'()*+,\-./:;=?@~]/;

/** Characters that are not percent-encoded within a query or a segment of a path. */
const KEPT_IN_PARTS: readonly RegExp[] = [
  /[\w!'()*\-.~]/, // encodeURIComponent
  /[\w\-.~]/, // RFC 3986, section 2.3
  /[\w*\-. ]/, // application/x-www-form-urlencoded, URL Standard section 5.2; the space becomes a plus sign
  /[\w\-./~]/, // Python's urllib.parse.quote
];
const KEPT_IN_URLS = [KEPT_BY_ENCODE_URI, ...KEPT_IN_PARTS];
const KEPT = [
  ...KEPT_IN_URLS,
  /[\w\-.~:]/, // as write-value.ts puts it into a path
  /[A-Za-z0-9]/,
  /[]/,
];

type JsonStyle = { escaped: RegExp; slash: boolean };

const SHORTEST_JSON: readonly JsonStyle[] = [{ escaped: /[]/, slash: false }, { escaped: /[]/, slash: true }];
const COMMON_JSON: readonly JsonStyle[] = [...SHORTEST_JSON, { escaped: /[^\x00-\x7f]/, slash: false }, { escaped: /[^\x00-\x7f]/, slash: true }];
/** As programs write it by default. */
const USUAL_JSON: readonly JsonStyle[] = [
  ...COMMON_JSON,
  { escaped: /[<>&\u2028\u2029]/, slash: false },
  { escaped: /[^\x00-\x7f]|["&'+<>`]/, slash: false },
];
const JSON_STYLES: readonly JsonStyle[] = [
  ...USUAL_JSON,
  { escaped: /[^A-Za-z0-9]/, slash: false },
  { escaped: /[^]/, slash: false },
];

type Entities = Readonly<Record<string, string>>;

/** What stands for a character, besides `&`, `<` and `>`. */
const ENTITIES_OF_QUOTES: readonly Entities[] = [
  {}, // text nodes
  { '"': '&quot;' }, // attributes, as the DOM and PHP's htmlspecialchars before 8.1 write them
  { '"': '&quot;', "'": '&#39;' }, // Django, Rails, lodash
  { '"': '&#34;', "'": '&#39;' }, // Go, Jinja
  { '"': '&quot;', "'": '&#x27;' }, // Python, React
  { '"': '&quot;', "'": '&#039;' }, // PHP
  { '"': '&quot;', "'": '&apos;' }, // XML
];
const ENTITIES: readonly Entities[] = [
  ...ENTITIES_OF_QUOTES,
  { '"': '&quot;', "'": '&#x27;', '`': '&#x60;', '=': '&#x3D;' }, // Handlebars
  { '"': '&quot;', "'": '&#39;', '`': '&#x60;', '=': '&#x3D;', '/': '&#x2F;' }, // mustache.js
];

/** How many digits a numeric entity has at least: as many as it needs, three as PHP's `&#039;` has, four as Unicode's names have, five. */
const DECIMAL_DIGITS = [1, 3, 4, 5] as const;
const HEXADECIMAL_DIGITS = [1, 4] as const;

const WRITERS: readonly Writer[] = [
  { encoding: 'raw', write: utf8 },
  ...KEPT.map((kept): Writer => ({ encoding: 'percent', write: (value, cased) => percent(value, kept, cased) })),
  ...JSON_STYLES.map((style): Writer => ({ encoding: 'json', write: (value, cased) => json(value, style, cased) })),
  ...ENTITIES.map((entities): Writer => ({ encoding: 'html', write: (value) => withEntities(value, entities) })),
  // All that is no letter or digit, and every character.
  ...[/[A-Za-z0-9]/, /[]/].flatMap((kept): Writer[] => [
    ...DECIMAL_DIGITS.map((digits): Writer => ({ encoding: 'html', write: (value) => html(value, (char, code) => (kept.test(char) ? char : decimalEntity(code, digits))) })),
    ...HEXADECIMAL_DIGITS.map((digits): Writer => ({ encoding: 'html', write: (value, cased) => html(value, (char, code) => (kept.test(char) ? char : hexadecimalEntity(code, digits, cased))) })),
  ]),
  { encoding: 'hex', write: hex },
];

/** What is looked for in base64, too: what programs write before they code it. */
const WRITERS_CODED: readonly Writer[] = [
  ...[...KEPT_IN_URLS, /[]/].map((kept): Writer => ({ encoding: 'percent', write: (value, cased) => percent(value, kept, cased) })),
  ...[...USUAL_JSON, { escaped: /[^]/, slash: false }].map((style): Writer => ({ encoding: 'json', write: (value, cased) => json(value, style, cased) })),
  { encoding: 'hex', write: hex },
];

/** Escaped by one program and again by the next: of a value of letters, digits, `-` and `_` these are all the value itself. */
const TWICE: readonly Writer[] = [
  // A body that is a string of another body: each with the escapes of the same program, or the outer with the shortest.
  ...USUAL_JSON.flatMap((inner) => [inner, ...SHORTEST_JSON].map((outer): Writer => ({
    encoding: 'json', write: (value, cased) => json(asText(json(value, inner, cased)), outer, cased),
  }))),
  // A URL within a query within a URL.
  ...KEPT_IN_URLS.flatMap((inner) => KEPT_IN_URLS.map((outer): Writer => ({
    encoding: 'percent', write: (value, cased) => percent(percent(value, inner, cased), outer, cased),
  }))),
  ...COMMON_JSON.flatMap((style) => KEPT_IN_PARTS.map((kept): Writer => ({
    encoding: 'percent', write: (value, cased) => percent(asText(json(value, style, cased)), kept, cased),
  }))),
  // JSON in an attribute or a script, and a page that is escaped as a whole.
  ...ENTITIES_OF_QUOTES.flatMap((entities) => [
    ...COMMON_JSON.map((style): Writer => ({ encoding: 'html', write: (value, cased) => withEntities(asText(json(value, style, cased)), entities) })),
    { encoding: 'html' as const, write: (value: string) => withEntities(asText(withEntities(value, entities)), entities) },
    ...SHORTEST_JSON.map((style): Writer => ({ encoding: 'json', write: (value, cased) => json(asText(withEntities(value, entities)), style, cased) })),
  ]),
];

function decimalEntity(code: number, digits: number): string {
  return `&#${String(code).padStart(digits, '0')};`;
}

function hexadecimalEntity(code: number, digits: number, cased: Cased): string {
  return `&#x${cased(code.toString(16).padStart(digits, '0'))};`;
}

function withEntities(value: string, entities: Entities): string {
  return html(value, (char) => entities[char] ?? null);
}

/** Writers give one character a byte, and take characters. */
function asText(written: string): string {
  return Buffer.from(written, 'latin1').toString('utf8');
}

/**
 * Where every second byte is NUL, what both orders have in common stands for both. Needles that begin with NUL would hold back the
 * last byte of many a binary message.
 */
function utf16Forms(value: string): Form[] {
  const isNarrow = !/[^\x00-\xff]/.test(value);
  const writers: Form['write'][] = isNarrow
    ? [(other) => utf16(other, 'little').slice(0, -1)]
    : [(other) => utf16(other, 'little'), (other) => utf16(other, 'big')];
  return writers.map((write) => ({ encoding: 'utf-16', text: write(value), write }));
}

/** All upper-case first, so that such a text is replaced in kind; then every mixture of the cases. */
function casedForms({ encoding, write }: Writer, value: string): Form[] {
  const [inUpper, inLower] = [UPPER, LOWER].map((cased) => (other: string) => write(other, cased)) as [Form['write'], Form['write']];
  const upper = inUpper(value);
  const lower = upper === value ? upper : inLower(value);
  if (upper === lower) return [{ encoding, text: lower, write: inLower }];
  return [{ encoding, text: upper, write: inUpper }, { encoding, text: lower, orText: upper, write: inLower }];
}

const UPPER: Cased = (digits) => digits.toUpperCase();
const LOWER: Cased = (digits) => digits.toLowerCase();
