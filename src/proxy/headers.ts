import { hyphenated } from '../secrets/hyphenated.ts';

/**
 * Header lists are flat (name, value, name, value …) with the names as they were written, in the order they came, duplicates
 * included, so that what passes is what was sent. The functions return the very array they got where nothing changes.
 */
export type RawHeaders = readonly string[];

/** What a request loses on its way: what concerns the one hop only (RFC 9110, 7.6.1), and Host, which is written anew. */
export function forwardableRequestHeaders(rawHeaders: RawHeaders): string[] {
  return withoutHopByHop(rawHeaders, requestOnly);
}

/**
 * Alt-Svc would send the client's next request past the proxy's listeners, to another port or protocol, and X-Decoy-Blocked is the proxy's
 * own word.
 */
export function forwardableResponseHeaders(rawHeaders: RawHeaders): string[] {
  return withoutHopByHop(rawHeaders, responseOnly);
}

/** A client that merges trailers into the headers must not take framing or routing from them (RFC 9110, 6.5.1). */
export function forwardableTrailers(rawTrailers: RawHeaders): string[] {
  return withoutHopByHop(rawTrailers, notInTrailers);
}

export function withoutHeaders(rawHeaders: RawHeaders, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!names.has(rawHeaders[i]!.toLowerCase())) kept.push(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  return kept;
}

/** All values of a header joined by commas, or null where there is none. */
export function headerValue(rawHeaders: RawHeaders, name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const candidate = rawHeaders[i]!;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    value = value === null ? rawHeaders[i + 1]! : `${value}, ${rawHeaders[i + 1]!}`;
  }
  return value;
}

export function decodeHeaders(parts: readonly (Buffer | string)[]): string[] {
  return parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

/** The form `addTrailers` takes. */
export function toPairs(rawHeaders: RawHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) pairs.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return pairs;
}

const hopByHop = [
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'proxy-authentication-info', 'te',
  'transfer-encoding', 'upgrade',
];
const requestOnly: ReadonlySet<string> = new Set([...hopByHop, 'host', 'expect', 'http2-settings']);
const responseOnly: ReadonlySet<string> = new Set([...hopByHop, 'alt-svc', 'x-decoy-blocked']);
const notInTrailers: ReadonlySet<string> = new Set([
  ...responseOnly, 'content-length', 'content-encoding', 'content-type', 'content-range', 'trailer', 'set-cookie', 'location',
]);
/** Framing and what the rules look at stay although Connection lists them: dropping them is a known way to make two readers disagree. */
const notDroppable: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'content-type', 'host', 'close', 'keep-alive']);

function withoutHopByHop(rawHeaders: RawHeaders, dropped: ReadonlySet<string>): string[] {
  const listed = listedByConnection(rawHeaders);
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = rawHeaders[i + 1]!;
    if (name === 'te' && dropped === requestOnly && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)) kept.push(rawHeaders[i]!, 'trailers');
    else if (!dropped.has(hyphenated(name)) && !listed?.has(name)) kept.push(rawHeaders[i]!, value);
  }
  return kept;
}

function listedByConnection(rawHeaders: RawHeaders): Set<string> | null {
  const value = headerValue(rawHeaders, 'connection');
  if (value === null) return null;
  const names = value.toLowerCase().split(',').map((name) => name.trim()).filter((name) => name !== '' && !notDroppable.has(name));
  return names.length === 0 ? null : new Set(names);
}
