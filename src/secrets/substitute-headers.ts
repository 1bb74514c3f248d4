import type { Destination } from '../policy/policy.ts';
import type { Needles } from './compile-needles.ts';
import { CREDENTIAL_HEADERS } from './credential-headers.ts';
import { hitsIn, seenIn } from './outgoing-needles.ts';
import type { Seen } from './outgoing-needles.ts';
import { refuseSeen } from './refuse-seen.ts';
import type { SecretRefusal } from './refuse-seen.ts';
import { unescapings } from './unescapings.ts';

export type OutgoingRequest = {
  method: string;
  /** origin-form target with the query, as received */
  url: string;
  /** name, value, name, value … as Node's `rawHeaders`: latin1 text, one character a byte */
  rawHeaders: readonly string[];
  destination: Destination;
};

export type Substitution =
  /** `rawHeaders` is the very array that came in when nothing was swapped; `uses` is then empty */
  | { ok: true; rawHeaders: readonly string[]; uses: readonly { name: string; substitutions: number }[] }
  | ({ ok: false } & SecretRefusal);

/** Swaps placeholders for real values in credential headers, and refuses them, and real values, everywhere else. */
export function substituteRequest(needles: Needles<Seen>, request: OutgoingRequest): Substitution {
  if (!hasAny(needles, [request.method, request.url, ...request.rawHeaders].join('\n'))) {
    return { ok: true, rawHeaders: request.rawHeaders, uses: [] };
  }
  const sightings = placesOf(request).map(({ place, text, isCredential }) => {
    const basic = basicCredentials(text);
    return { place, isCredential, seen: seenIn(needles, text), decoded: basic === null ? [] : seenIn(needles, basic) };
  });
  // First of all: a real value anywhere is worse than any placeholder.
  for (const { place, seen, decoded } of sightings) {
    const real = [...seen, ...decoded].find(({ kind }) => kind === 'real');
    if (real) return refused(real, request, place);
  }
  for (const { place, isCredential, seen: [placeholder] } of sightings) {
    if (placeholder && !isCredential) return refused(placeholder, request, place);
  }
  return swapHeaders(needles, request);
}

const CREDENTIAL_NAMES: ReadonlySet<string> = new Set(CREDENTIAL_HEADERS.map(({ name }) => name));

/** One search of the joined text: no form of a secret contains the line break between its parts. */
function hasAny(needles: Needles<Seen>, text: string): boolean {
  return [text, ...unescapings(text)].some((plain) => needles.find(Buffer.from(plain, 'latin1'), 0) !== null);
}

type Place = { place: string; text: string; isCredential: boolean };

function placesOf({ method, url, rawHeaders }: OutgoingRequest): Place[] {
  const mark = url.indexOf('?');
  const query = mark === -1 ? url.length : mark;
  const places: Place[] = [
    { place: 'method', text: method, isCredential: false },
    { place: 'URL path', text: url.slice(0, query), isCredential: false },
    { place: 'URL query', text: url.slice(query), isCredential: false },
  ];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) places.push({ place: 'header name', text: rawHeaders[at]!, isCredential: false });
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, text] = [rawHeaders[at]!, rawHeaders[at + 1]!];
    places.push({ place: headerPlace(name), text, isCredential: CREDENTIAL_NAMES.has(name.toLowerCase()) });
  }
  return places;
}

/** The name comes from the sandbox and goes into a message: only what looks like a name is repeated. */
function headerPlace(name: string): string {
  return /^[\w-]{1,64}$/.test(name) ? `header ${name.toLowerCase()}` : 'header';
}

/** `user:password` of Basic credentials, one character a byte, or null. RFC 7617, section 2. */
function basicCredentials(text: string): string | null {
  const encoded = BASIC.exec(text)?.groups?.['encoded'];
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('latin1');
}

const BASIC = /^\s*(?<scheme>basic\s+)(?<encoded>[\w+/-]+={0,2})\s*$/i;

function refused(seen: Seen, request: OutgoingRequest, place: string): Substitution {
  return { ok: false, ...refuseSeen(seen, { ...request, place })! };
}

function swapHeaders(needles: Needles<Seen>, request: OutgoingRequest): Substitution {
  const rawHeaders = [...request.rawHeaders];
  const counts = new Map<string, number>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!, rawHeaders[at + 1]!];
    if (!CREDENTIAL_NAMES.has(name.toLowerCase()) || !hasAny(needles, value)) continue;
    const basic = basicCredentials(value);
    const swapped = swapText(needles, basic ?? value, { request, place: headerPlace(name) });
    if ('refusal' in swapped) return { ok: false, ...swapped.refusal };
    rawHeaders[at + 1] = basic === null ? swapped.text : `${BASIC.exec(value)!.groups!['scheme']}${Buffer.from(swapped.text, 'latin1').toString('base64')}`;
    for (const secret of swapped.names) counts.set(secret, (counts.get(secret) ?? 0) + 1);
  }
  return { ok: true, rawHeaders, uses: [...counts].map(([name, substitutions]) => ({ name, substitutions })) };
}

type Swapped = { text: string; names: string[] } | { refusal: SecretRefusal };

function swapText(needles: Needles<Seen>, text: string, { request, place }: { request: OutgoingRequest; place: string }): Swapped {
  let swapped = '';
  let rest = '';
  let copied = 0;
  const names: string[] = [];
  for (const { tag, start, end } of hitsIn(needles, text)) {
    const refusal = refuseSeen(tag, { ...request, place, swappable: true });
    if (refusal) return { refusal };
    // Node writes latin1; the server is to see the value's UTF-8 bytes.
    swapped += text.slice(copied, start) + Buffer.from(tag.secret.value, 'utf8').toString('latin1');
    rest += `${text.slice(copied, start)}\n`;
    copied = end;
    names.push(tag.secret.name);
  }
  rest += text.slice(copied);
  // What is left may hold a placeholder behind escapes, which must not go out unswapped beside one that was swapped.
  const [hidden] = seenIn(needles, rest);
  if (hidden) return { refusal: refuseSeen(hidden, { ...request, place: `${place}, escaped` })! };
  return { text: swapped + text.slice(copied), names };
}
