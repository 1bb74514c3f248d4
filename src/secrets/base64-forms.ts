import type { Form } from './encodings.ts';

/** Text a value was written as, latin1, and how another is written so. */
export type Written = Pick<Form, 'text' | 'write'>;

/** A value in base64 as `inBase64` has it; escaped as JSON and URLs do; and encoded twice, or its characters as hexadecimal digits. */
export function base64Forms(value: Written): Form[] {
  const once = atAnyPlace(value);
  const escaped = once.flatMap((form) => ESCAPES.map(([finish, orFinish]) => finishForm(form, finish, orFinish)));
  const twice = [...once, ...once.map((form) => finishForm(form, url))];
  return [
    ...inBase64(value),
    ...escaped,
    // The text of base64 is ASCII, in whose own base64 neither + nor / occurs: there is nothing to finish.
    ...twice.flatMap(atAnyPlace),
    ...twice.flatMap((form) => [finishForm(form, lowerHex), finishForm(form, upperHex)]),
  ];
}

/** Text in base64, wherever it stands between other bytes, in both alphabets: RFC 4648, sections 4 and 5. */
export function inBase64(written: Written): Form[] {
  return atAnyPlace(written).flatMap((form) => [form, finishForm(form, url)]);
}

/** How many bytes of its first group of three belong to a neighbour. */
const LEADS = [0, 1, 2] as const;

type Finish = (text: string) => string;

const url: Finish = (text) => text.replaceAll('+', '-').replaceAll('/', '_');
const upperPercent: Finish = (text) => text.replaceAll('+', '%2B').replaceAll('/', '%2F');
const lowerPercent: Finish = (text) => text.replaceAll('+', '%2b').replaceAll('/', '%2f');
const lowerHex: Finish = (text) => Buffer.from(text, 'latin1').toString('hex');
const upperHex: Finish = (text) => lowerHex(text).toUpperCase();

/** Where there is a second function, it gives the same text with digits of the other case. */
const ESCAPES: readonly [Finish, Finish?][] = [[(text) => text.replaceAll('/', '\\/')], [upperPercent], [lowerPercent, upperPercent]];

function finishForm({ text, write }: Written, finish: Finish, orFinish = finish): Form {
  const [finished, orText] = [finish(text), orFinish(text)];
  return { encoding: 'base64', text: finished, ...(orText === finished ? {} : { orText }), write: (other) => finish(write(other)) };
}

function atAnyPlace({ text, write }: Written): Form[] {
  return LEADS.map((lead) => {
    const inBase64 = inner(text, lead);
    return { encoding: 'base64', text: inBase64, write: (other) => fill(inner(write(other), lead), inBase64.length) };
  });
}

/**
 * The base64 characters that depend on the text alone when `lead` others stand before it in their first group of three. The character
 * shared with a neighbour is left out on either side, so at most the first and last four bits of a value stay when these are replaced.
 */
function inner(text: string, lead: number): string {
  const shifted = Buffer.concat([Buffer.alloc(lead), Buffer.from(text, 'latin1')]);
  return shifted.toString('base64').slice(Math.ceil((lead * 8) / 6), Math.floor((shifted.length * 8) / 6));
}

/**
 * Cut or repeated to a length: within base64 the characters after a replacement keep their place in the groups of
 * four, and the padding stays right, only if the length does. A shorter or longer placeholder is thus seen cut or repeated there.
 */
function fill(text: string, length: number): string {
  return text.repeat(Math.ceil(length / text.length)).slice(0, length);
}
