import { randomInt } from 'node:crypto';
import { VENDOR_PREFIXES } from './vendor-prefixes.ts';

/**
 * A stand-in for a value, new at every call: its vendor prefix, length and alphabet where at least 96 random bits fit
 * (two hundred times the age of the universe at a thousand million guesses a second), else `DECOY_` and 48 hex digits.
 * `prefix` is what is kept: the vendor's, nothing, or `DECOY_`. Dots and colons, a UUID's hyphens and base64 padding stay
 * where they are, because clients split there. Neither the value nor a guess at it can be had from the rest.
 */
export function mintPlaceholder(value: string): { placeholder: string; prefix: string } {
  const prefix = VENDOR_PREFIXES.find((known) => value.startsWith(known)) ?? '';
  const shape = shapeOf(value.slice(prefix.length));
  // A short value may turn up in random digits by chance; that it does a hundred times running means it is part of what is kept.
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const minted = shape === null
      ? { placeholder: FALLBACK_PREFIX + randomText(LOWER_HEX, FALLBACK_DIGITS), prefix: FALLBACK_PREFIX }
      : { placeholder: prefix + fillShape(shape), prefix };
    // A leading hyphen would make an option of it on a command line.
    if (!minted.placeholder.includes(value) && !minted.placeholder.startsWith('-')) return minted;
  }
  throw new RangeError(`no placeholder could be minted for a value of ${value.length} characters that is part of \`${FALLBACK_PREFIX}\`; use a real credential`);
}

const LEAST_RANDOM_BITS = 96;
const FALLBACK_PREFIX = 'DECOY_';
const FALLBACK_DIGITS = 48;
const MAX_ATTEMPTS = 100;

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const LOWER_HEX = `${DIGITS}abcdef`;

/** Not drawn: a slash ends a segment of a path, and a plus is a space in a form, so that a pinned secret would work in some runs only. */
const BASE64_SIGNS = '+/';

/** Smallest first: the first that has all of a value's characters is its alphabet. */
const ALPHABETS: readonly string[] = [
  DIGITS,
  LOWER_HEX,
  LOWER_HEX.toUpperCase(),
  DIGITS + LOWER,
  DIGITS + UPPER,
  DIGITS + LOWER + UPPER,
  `${DIGITS}${LOWER}${UPPER}-_`,
  `${DIGITS}${LOWER}${UPPER}${BASE64_SIGNS}`,
];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** One character or the alphabet to draw it from, for each place. */
type Shape = { alphabet: string; text: string; isKept(char: string, at: number): boolean };

function shapeOf(text: string): Shape | null {
  const padding = text.length - (/={1,2}$/.exec(text)?.[0].length ?? 0);
  const kept = UUID.test(text) ? /[-]/ : /[.:]/;
  const isKept = (char: string, at: number): boolean => at >= padding || kept.test(char);
  const drawn = Array.from(text).filter((char, at) => !isKept(char, at));
  const alphabet = ALPHABETS.find((chars) => drawn.every((char) => chars.includes(char)))?.replace(BASE64_SIGNS, '');
  if (alphabet === undefined || drawn.length * Math.log2(alphabet.length) < LEAST_RANDOM_BITS) return null;
  return { alphabet, text, isKept };
}

function fillShape({ alphabet, text, isKept }: Shape): string {
  return Array.from(text, (char, at) => (isKept(char, at) ? char : randomText(alphabet, 1))).join('');
}

/** Uniform: randomInt draws again rather than take a remainder. */
function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]!).join('');
}
