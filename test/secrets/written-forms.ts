import { seededRandom } from './random.ts';

/** One way in which a program writes a value: made here without the code under test. latin1, one character a byte. */
export type WrittenForm = { name: string; text: string; /** whether it may stand in a header */ isText: boolean };

/** The ways the page lists, in the cases and at the alignments there are. */
export function writtenForms(value: string): WrittenForm[] {
  const bytes = Buffer.from(value);
  const everyByte = (write: (byte: number) => string) => Array.from(bytes, write).join('');
  const everyUnit = (write: (unit: number) => string) => Array.from({ length: value.length }, (_, at) => write(value.charCodeAt(at))).join('');
  const twoDigits = (byte: number) => byte.toString(16).padStart(2, '0');
  const fourDigits = (unit: number) => unit.toString(16).padStart(4, '0');
  const around = ['', 'u', 'u:'].flatMap((before) => ['', '\n', '"}'].map((after) => [before, after] as const));
  const html = Array.from(value, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[char] ?? char).join('');
  const forms: Record<string, string> = {
    raw: value,
    encodeURI: encodeURI(value),
    encodeURIComponent: encodeURIComponent(value),
    'a form': new URLSearchParams([['k', value]]).toString().slice(2),
    'percent, every byte': everyByte((byte) => `%${twoDigits(byte).toUpperCase()}`),
    'percent, every byte, lower case': everyByte((byte) => `%${twoDigits(byte)}`),
    'percent, every byte, both cases': mixCases(everyByte((byte) => `%${twoDigits(byte)}`)),
    JSON: JSON.stringify(value).slice(1, -1),
    'JSON with \\/': JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'),
    'JSON, every character': everyUnit((unit) => `\\u${fourDigits(unit)}`),
    'JSON, every character, both cases': everyUnit((unit) => `\\u${mixCases(fourDigits(unit))}`),
    'HTML': html,
    'HTML, decimal': Array.from(value, (char) => `&#${char.codePointAt(0)};`).join(''),
    'HTML, hexadecimal': Array.from(value, (char) => `&#x${char.codePointAt(0)!.toString(16)};`).join(''),
    ...Object.fromEntries([3, 4, 5].map((digits) => [`HTML, ${digits} decimal digits`, Array.from(value, (char) => `&#${String(char.codePointAt(0)).padStart(digits, '0')};`).join('')])),
    'HTML, four hexadecimal digits': Array.from(value, (char) => `&#x${char.codePointAt(0)!.toString(16).padStart(4, '0')};`).join(''),
    hex: bytes.toString('hex'),
    'hex, upper case': bytes.toString('hex').toUpperCase(),
    'hex, both cases': mixCases(bytes.toString('hex')),
    'UTF-16, little-endian': Buffer.from(value, 'utf16le').toString('latin1'),
    'UTF-16, big-endian': Buffer.from(value, 'utf16le').swap16().toString('latin1'),
  };
  for (const alphabet of ['base64', 'base64url'] as const) {
    for (const [before, after] of around) forms[`${alphabet} between ${JSON.stringify(before)} and ${JSON.stringify(after)}`] = Buffer.from(before + value + after).toString(alphabet);
  }
  /** What programs write, and others put in base64. */
  const coded: Record<string, Buffer> = Object.fromEntries([
    ...['JSON', 'JSON with \\/', 'encodeURI', 'encodeURIComponent', 'a form', 'percent, every byte', 'JSON, every character', 'hex', 'hex, upper case'].map((name) => [name, Buffer.from(forms[name]!)] as const),
    ...['UTF-16, little-endian', 'UTF-16, big-endian'].map((name) => [name, Buffer.from(forms[name]!, 'latin1')] as const),
  ]);
  for (const before of ['', 'u', 'u:']) {
    const once = Buffer.from(before + value).toString('base64');
    forms[`hex of base64 behind ${JSON.stringify(before)}`] = Buffer.from(once).toString('hex');
    forms[`upper-case hex of base64 behind ${JSON.stringify(before)}`] = Buffer.from(once).toString('hex').toUpperCase();
    for (const [name, inner] of Object.entries(coded)) {
      forms[`base64 of ${name} behind ${JSON.stringify(before)}`] = Buffer.concat([Buffer.from(before), inner]).toString('base64');
      forms[`base64url of ${name} behind ${JSON.stringify(before)}`] = Buffer.concat([Buffer.from(before), inner, Buffer.from('"}')]).toString('base64url');
    }
    forms[`base64 of base64 behind ${JSON.stringify(before)}`] = Buffer.from(once).toString('base64');
    forms[`base64 behind ${JSON.stringify(before)}, in JSON`] = once.replaceAll('/', '\\/');
    forms[`base64 behind ${JSON.stringify(before)}, in a URL`] = encodeURIComponent(once);
  }
  return Object.entries(forms).map(([name, text]) => ({ name, text: name.startsWith('UTF-16') ? text : Buffer.from(text).toString('latin1'), isText: !name.startsWith('UTF-16') }));
}

/**
 * Whether a value can be read out of a text by taking off any of these encodings, or one and then another. Of base64 its first and last
 * characters may be missing: they share digits with their neighbours.
 */
export function canBeReadIn(text: string, value: string): boolean {
  const wanted = Buffer.from(value).toString('latin1');
  const isIn = (plain: string) => plain.includes(wanted);
  const isAlmostIn = (plain: string) => plain.includes(wanted.slice(1, -1));
  const reads = (from: string, depth: number): boolean => isIn(from) || depth > 0 && (
    [...unescaped(from), ...fromHex(from), ...fromUtf16(from)].some((plain) => reads(plain, depth - 1))
    || fromBase64(from).some((plain) => isAlmostIn(plain) || reads(plain, depth - 1)));
  return reads(text, 2);
}

function unescaped(text: string): string[] {
  const percent = text.replaceAll('+', ' ').replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const plus = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const json = text.replaceAll(/(?:\\u[0-9a-f]{4})+/gi, (run) => utf8(run.split('\\u').slice(1).map((hex) => String.fromCharCode(Number.parseInt(hex, 16))).join(''))).replaceAll(/\\(["\\/])/g, '$1');
  const html = text.replaceAll(/&#(x?)([0-9a-f]+);/gi, (_, x: string, code: string) => utf8(String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(code, x === '' ? 10 : 16)))))
    .replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  return [percent, plus, json, html];
}

function fromHex(text: string): string[] {
  return Array.from(text.matchAll(/[0-9a-f]{16,}/gi), ([run]) => [0, 1].map((skip) => Buffer.from(run.slice(skip), 'hex').toString('latin1'))).flat();
}

/** In either order of its bytes, and from either of the first two. */
function fromUtf16(text: string): string[] {
  if (!text.includes('\0')) return [];
  return [0, 1].flatMap((skip) => {
    const bytes = Buffer.from(text.slice(skip, text.length - (text.length - skip) % 2), 'latin1');
    return [utf8(bytes.toString('utf16le')), utf8(bytes.swap16().toString('utf16le'))];
  });
}

function fromBase64(text: string): string[] {
  return Array.from(text.matchAll(/[\w+/-]{8,}/g), ([run]) => [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), 'base64').toString('latin1'))).flat();
}

function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function mixCases(text: string): string {
  const random = seededRandom(5);
  return Array.from(text, (char) => (random.below(2) ? char.toUpperCase() : char)).join('');
}
