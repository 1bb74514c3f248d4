import { quote } from '../policy/quote.ts';
import type { FieldStep, Place } from './place.ts';

/**
 * Parses `PLACE[,PLACE…]` (docs/secrets.md has the places as a table). A backslash takes the next character as it is: a comma in a
 * query's key, a dot in a field's. Problems are one sentence each, without the secret's name.
 */
export function parsePlaces(text: string): { places: Place[]; problems: string[] } {
  const places: Place[] = [];
  const problems: string[] = [];
  for (const part of split(text, ',').map((piece) => piece.trim())) {
    const parsed = parsePlace(part);
    if (typeof parsed === 'string') problems.push(parsed);
    else if (places.some((place) => place.text === parsed.text)) problems.push(`the place ${quote(part)} is given twice: leave one of them out`);
    else places.push(parsed);
  }
  const fields = places.filter(({ kind }) => kind === 'field');
  if (fields.length > 0 && places.some(({ kind }) => kind === 'body')) {
    problems.push(`\`body\` is anywhere in the body, ${quote(fields[0]!.text)} only a part of it: leave one of them out`);
  }
  return { places, problems };
}

/** Headers that frame or route a request, that belong to one hop, or that the proxy or the rules read. */
const UNPINNABLE_HEADERS: ReadonlySet<string> = new Set([
  'host', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate',
  'proxy-authorization', 'proxy-authentication-info', 'te', 'trailer', 'upgrade', 'expect', 'http2-settings', 'accept-encoding', 'range', 'if-range',
  'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-accept',
  'x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url', 'x-rewrite-url',
]);

const FORMS = '`credentials`, `header:NAME`, `query:KEY`, `path`, `body`, `body:FIELD`, `aws-sigv4`, `jwt` or `hmac-sha256:HEADER`, as in `;in=header:x-token`';

function parsePlace(text: string): Place | string {
  if (text === '') return `a comma in \`;in=\` has no place before or behind it: write ${FORMS}`;
  const [, kind = '', argument] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  if (argument === undefined) {
    if (kind === 'credentials' || kind === 'path' || kind === 'body') return { kind, text };
    if (kind === 'aws-sigv4' || kind === 'jwt') return { kind: 'signature', text, scheme: kind, header: '' };
    if (kind === 'hmac-sha256') return `the place ${quote(text)} names no header: write \`hmac-sha256:HEADER\`, as in \`hmac-sha256:x-hub-signature-256\``;
    if (kind === 'header' || kind === 'query') return `the place ${quote(text)} has no name: write ${kind === 'header' ? '`header:NAME`, as in `header:x-token`' : '`query:KEY`, as in `query:key`'}`;
    return `${quote(text)} is not a place: write ${FORMS}`;
  }
  if (kind === 'header') return parseHeader(text, argument);
  if (kind === 'query') return argument === '' ? `the place ${quote(text)} has no key: write \`query:KEY\`, as in \`query:key\`` : { kind, text, key: unescape(argument) };
  if (kind === 'body') return parseField(text, argument);
  if (kind === 'hmac-sha256') return parseHmac(text, argument);
  return `${quote(text)} is not a place: write ${FORMS}`;
}

function parseHeader(text: string, argument: string): Place | string {
  const name = argument.toLowerCase();
  // RFC 9110, section 5.6.2
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return `the place ${quote(text)} names no header: write one such as \`header:x-token\``;
  if (!UNPINNABLE_HEADERS.has(name)) return { kind: 'header', text: `header:${name}`, name };
  return `the place ${quote(text)} is a header that says how or where the request is sent, not who sends it: pin the secret to another one`;
}

function parseHmac(text: string, argument: string): Place | string {
  const parsed = parseHeader(text, argument);
  return typeof parsed === 'string' || parsed.kind !== 'header' ? parsed : { kind: 'signature', text: `hmac-sha256:${parsed.name}`, scheme: 'hmac-sha256', header: parsed.name };
}

function parseField(text: string, argument: string): Place | string {
  const parts = split(argument, '.');
  if (parts.includes('')) return `the place ${quote(text)} has an empty step: write the keys with a dot between them, as in \`body:auth.token\`, and \`\\.\` for a dot in a key`;
  const steps = parts.map((part): FieldStep => (part === '*' ? null : unescape(part)));
  return { kind: 'field', text, name: unescape(argument), steps };
}

/** At separators without a backslash before them; the pieces keep their backslashes. */
function split(text: string, separator: string): string[] {
  const pieces = [''];
  for (const [unit] of text.matchAll(/\\[^]|[^]/gu)) {
    if (unit === separator) pieces.push('');
    else pieces.push(`${pieces.pop()!}${unit}`);
  }
  return pieces;
}

function unescape(text: string): string {
  return text.replaceAll(/\\([^])/gu, '$1');
}
