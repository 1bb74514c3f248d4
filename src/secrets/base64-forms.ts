import type { Form } from './encodings.ts';

/** A value in base64, wherever it stands between other bytes: RFC 4648, sections 4 and 5; escaped as JSON and URLs do; and encoded twice. */
export function base64Forms(value: string): Form[] {
  const once = LEADS.map((lead) => inBase64(Buffer.from(value, 'utf8'), lead, (other) => Buffer.from(other, 'utf8')));
  const finished = FINISHES.flatMap(([finish, orFinish]) => once.map(({ text, write }): Form => ({
    encoding: 'base64',
    text: finish(text),
    ...(orFinish === undefined || orFinish(text) === finish(text) ? {} : { orText: orFinish(text) }),
    write: (other) => finish(write(other)),
  })));
  // The text of base64 is ASCII, in whose own base64 neither + nor / occurs: there is nothing to finish.
  const twice = finished.slice(0, 2 * LEADS.length).flatMap(({ text, write }) =>
    LEADS.map((lead) => inBase64(Buffer.from(text, 'latin1'), lead, (other) => Buffer.from(write(other), 'latin1'))),
  );
  return [...finished, ...twice];
}

/** How many bytes of its first group of three belong to a neighbour. */
const LEADS = [0, 1, 2] as const;

const url = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_');
const upperPercent = (text: string): string => text.replaceAll('+', '%2B').replaceAll('/', '%2F');
const lowerPercent = (text: string): string => text.replaceAll('+', '%2b').replaceAll('/', '%2f');

/** The two alphabets first; then escapes, where a second function gives the same text with digits of the other case. */
const FINISHES: readonly [(text: string) => string, ((text: string) => string)?][] = [
  [(text) => text],
  [url],
  [(text) => text.replaceAll('/', '\\/')],
  [upperPercent],
  [lowerPercent, upperPercent],
];

function inBase64(bytes: Buffer, lead: number, bytesOf: (other: string) => Buffer): Form {
  const text = inner(bytes, lead);
  return { encoding: 'base64', text, write: (other) => fill(inner(bytesOf(other), lead), text.length) };
}

/**
 * The base64 characters that depend on the bytes alone when `lead` others stand before them in their first group of three. The character
 * shared with a neighbour is left out on either side, so at most the first and last four bits of a value stay when these are replaced.
 */
function inner(bytes: Buffer, lead: number): string {
  const shifted = Buffer.concat([Buffer.alloc(lead), bytes]);
  return shifted.toString('base64').slice(Math.ceil((lead * 8) / 6), Math.floor((shifted.length * 8) / 6));
}

/**
 * Cut or repeated to a length: within base64 the characters after a replacement keep their place in the groups of
 * four, and the padding stays right, only if the length does. A shorter or longer placeholder is thus seen cut or repeated there.
 */
function fill(text: string, length: number): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}
