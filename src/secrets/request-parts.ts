import { CREDENTIAL_HEADERS } from './credential-headers.ts';
import { parsePlaces } from './parse-place.ts';
import type { Place } from './place.ts';
import { percentSpan, plainSpan, type Span } from './span.ts';
import type { Writing } from './write-value.ts';

/** One request as substitution sees it: text is latin1, one character a byte. */
export type OutgoingLine = { method: string; url: string; rawHeaders: readonly string[] };

/** A stretch of a part; one without `pinnable` is never changed. */
export type Piece = { text: string; pinnable?: Pinnable };
export type Pinnable = {
  isPlace(place: Place): boolean;
  span: Span;
  writing: Writing;
  /** the place as a pin, or null where it cannot be told; only refusals ask */
  pin(): string | null;
};

export type Part = {
  /** what a refusal calls it */
  place: string;
  pieces: readonly Piece[];
  /** it holds nothing of a secret */
  isClean?: true;
  /** of a header: where its name stands in `rawHeaders` */
  at?: number;
  /** of Basic credentials: makes the header's value of them */
  wrap?: (decoded: string) => string;
};

export const CREDENTIAL_NAMES: ReadonlySet<string> = new Set(CREDENTIAL_HEADERS.map(({ name }) => name));

export type RequestParts = { method: Part; path: Part; query: Part; headers: Part[]; headerNames: Part[] };

/**
 * In the order in which the first refusal is given. Of the headers only those that `concerns`, which is given the text of a part as it
 * stands in the request: of a dozen headers it is one, as a rule, and a part costs more than the question.
 */
export function partsOf({ method, url, rawHeaders }: OutgoingLine, concerns: (text: string) => boolean): RequestParts {
  const mark = url.indexOf('?');
  const end = mark === -1 ? url.length : mark;
  const [path, query] = [url.slice(0, end), url.slice(end)];
  const part = (place: string, text: string, piecesOf: (text: string) => Piece[]): Part => (concerns(text) ? { place, pieces: piecesOf(text) } : { place, pieces: [{ text }], isClean: true });
  const headers: Part[] = [];
  const headerNames: Part[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (concerns(rawHeaders[at]!)) headerNames.push({ place: 'header name', pieces: [{ text: rawHeaders[at]! }] });
    if (concerns(rawHeaders[at + 1]!)) headers.push(headerPart(rawHeaders, at));
  }
  return {
    method: part('method', method, (text) => [{ text }]),
    path: part('URL path', path, pathPieces),
    query: part('URL query', query, queryPieces),
    headers, headerNames,
  };
}

/** `user:password` of Basic credentials, one character a byte, or null. RFC 7617, section 2. */
function basicCredentials(text: string): { scheme: string; decoded: string } | null {
  const { scheme, encoded } = BASIC.exec(text)?.groups ?? {};
  return encoded === undefined ? null : { scheme: scheme!, decoded: Buffer.from(encoded, 'base64').toString('latin1') };
}

/** What each line of a text that is such credentials stands for. */
export function allBasicCredentials(lines: string): string[] {
  // Asked of every text, and nearly never so: a copy of the expression, which matchAll makes, costs more than the question.
  if (!/basic/i.test(lines)) return [];
  return Array.from(lines.matchAll(BASIC_LINES), ([line]) => basicCredentials(line)!.decoded);
}

const BASIC_LINES = /^[^\S\n]*basic[^\S\n]+[\w+/-]+={0,2}[^\S\n]*$/gim;
const BASIC = /^\s*(?<scheme>basic\s+)(?<encoded>[\w+/-]+={0,2})\s*$/i;

/** Segment by segment: a placeholder never reaches over a slash, nor a value over its segment. */
function pathPieces(path: string): Piece[] {
  return path.split(/(?<=\/)|(?=\/)/).map((text): Piece => {
    if (text === '/') return { text };
    return { text, pinnable: { isPlace: ({ kind }) => kind === 'path', span: percentSpan(latin1(text), { plus: false }), writing: 'segment', pin: () => 'path' } };
  });
}

function queryPieces(query: string): Piece[] {
  return query.split(/(?<=^\?|&)|(?=&)/).flatMap((pair): Piece[] => {
    const equals = pair.indexOf('=');
    // Some servers (Ruby's CGI, older Python) take a semicolon for the beginning of another pair.
    if (equals === -1 || pair.includes(';')) return [{ text: pair }];
    const key = percentSpan(latin1(pair.slice(0, equals)), { plus: true }).decoded.toString('latin1');
    const text = pair.slice(equals + 1);
    return [{ text: pair.slice(0, equals + 1) }, {
      text,
      pinnable: {
        isPlace: (place) => place.kind === 'query' && Buffer.from(place.key).toString('latin1') === key,
        span: percentSpan(latin1(text), { plus: true }), writing: 'query', pin: () => pinText('query', key),
      },
    }];
  });
}

function headerPart(rawHeaders: readonly string[], at: number): Part {
  const name = rawHeaders[at]!.toLowerCase();
  const value = rawHeaders[at + 1]!;
  const isCredential = CREDENTIAL_NAMES.has(name);
  const basic = isCredential ? basicCredentials(value) : null;
  const text = basic?.decoded ?? value;
  const pinnable: Pinnable = {
    isPlace: (place) => (place.kind === 'header' && place.name === name) || (place.kind === 'credentials' && isCredential),
    span: plainSpan(latin1(text)), writing: 'raw', pin: () => pinText('header', name),
  };
  const part: Part = { place: headerPlace(name), pieces: [{ text, pinnable }], at };
  return basic === null ? part : { ...part, wrap: (decoded) => `${basic.scheme}${latin1(decoded).toString('base64')}` };
}

/** The name comes from the sandbox and goes into a message: only what looks like a name is repeated. */
export function headerPlace(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? `header ${name.toLowerCase()}` : 'header';
}

/** Names come from the sandbox: only what looks like one is repeated, and only where it can be pinned. */
function pinText(kind: 'header' | 'query', name: string): string | null {
  const text = /^[\w-]{1,64}$/.test(name) ? `${kind}:${name}` : kind === 'query' ? 'query:KEY' : null;
  return text === null || parsePlaces(text).problems.length > 0 ? null : text;
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
