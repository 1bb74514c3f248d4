import { CREDENTIAL_HEADERS } from '../../src/secrets/credential-headers.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { unescapings } from '../../src/secrets/unescapings.ts';
import { check, readBytes } from './bytes.ts';
import { compiledFuzzedSecrets, fuzzedSecrets, withTokens } from './secrets.ts';

const destinations = [
  { scheme: 'https', host: 'api.test', port: 443 }, { scheme: 'https', host: 'db.test', port: 443 }, { scheme: 'https', host: 'other.test', port: 443 },
  { scheme: 'http', host: 'api.test', port: 80 },
] as const;
const names = ['authorization', 'X-Api-Key', 'cookie', 'x-other', 'Authorization'];
const credentialNames = new Set(CREDENTIAL_HEADERS.map(({ name }) => name));
const real = fuzzedSecrets.map(({ value }) => Buffer.from(value, 'utf8').toString('latin1'));
const forms = fuzzedSecrets.flatMap(({ value, placeholder }) => [value, placeholder]).flatMap((text) => encodedForms(text).map((form) => form.text));
const basicForm = /^(\s*basic\s+)([\w+/-]+={0,2})\s*$/i;
const placeholders = fuzzedSecrets.map(({ placeholder }) => placeholder);

/**
 * A request that passes carries a real value only where and to whom it may, exactly in a placeholder's place, and no placeholder in any
 * form a server undoes. One in which no reading finds a secret passes as it came.
 */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const destination = destinations[bytes.below(4)]!;
  const method = ['GET', 'POST', 'TRACE', 'track'][bytes.below(4)]!;
  const url = `/${withTokens(bytes.line())}`;
  const rawHeaders: string[] = [];
  for (let count = bytes.below(4); count >= 0; count -= 1) rawHeaders.push(names[bytes.below(names.length)]!, withTokens(bytes.line()));
  const outcome = compiledFuzzedSecrets.substituteRequest({ method, url, rawHeaders, destination });
  const isClean = ![url, ...rawHeaders].flatMap(readings).some((text) => forms.some((form) => text.includes(form)));
  if (isClean) return check(outcome.ok && outcome.rawHeaders === rawHeaders, 'what holds no secret passes as it came');
  if (!outcome.ok) return check(outcome.remedy !== '' && !real.some((value) => JSON.stringify(outcome).includes(value)), 'a refusal tells no value');

  const mayCarry = destination.scheme === 'https' && /GET|POST/.test(method) ? fuzzedSecrets.filter(({ hosts }) => hosts[0]!.name === destination.host) : [];
  const allowed = mayCarry.map(({ value }) => Buffer.from(value, 'utf8').toString('latin1'));
  check(outcome.rawHeaders.length === rawHeaders.length, 'no header comes or goes');
  for (const text of readings(url)) check(![...real, ...placeholders].some((value) => text.includes(value)), 'nothing in the URL');
  for (let at = 0; at < rawHeaders.length; at += 2) {
    check(outcome.rawHeaders[at] === rawHeaders[at], 'names stay');
    const isCredential = credentialNames.has(rawHeaders[at]!.toLowerCase());
    for (const text of readings(outcome.rawHeaders[at + 1]!)) {
      check(!placeholders.some((value) => text.includes(value)), 'no placeholder is left in a header');
      check(!real.some((value) => text.includes(value) && !(isCredential && allowed.includes(value))), 'a real value only in a credential header of its host');
    }
    check(outcome.rawHeaders[at + 1] === (isCredential ? swapped(rawHeaders[at + 1]!) : rawHeaders[at + 1]), 'what is no placeholder in a credential header stays');
  }
  for (const text of unescapings(url)) check(text !== url, 'an unescaping is another text');
}

/** A header's value with each placeholder replaced, within Basic credentials too: what was asked of Decoy, and nothing else. */
function swapped(value: string): string {
  const swap = (text: string) => placeholders.reduce((swappedText, placeholder, at) => swappedText.replaceAll(placeholder, () => real[at]!), text);
  const [, start, encoded] = basicForm.exec(value) ?? [];
  if (encoded === undefined) return swap(value);
  const plain = Buffer.from(encoded, 'base64').toString('latin1');
  return swap(plain) === plain ? value : `${start!.trimStart()}${Buffer.from(swap(plain), 'latin1').toString('base64')}`;
}

/** What a server may make of a text: as it is, unescaped, and base64 undone and unescaped, by means of its own. */
function readings(text: string): string[] {
  const [, , encoded] = basicForm.exec(text) ?? [];
  return [text, ...(encoded === undefined ? [] : [Buffer.from(encoded, 'base64').toString('latin1')])].flatMap((given) => [given, unescaped(given), unescaped(unescaped(given)), unescaped(unescaped(unescaped(given)))]);
}

function unescaped(text: string): string {
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => character(hex)).replaceAll(/\\u00([0-9a-f]{2})/gi, (_, hex: string) => Buffer.from(character(hex)).toString('latin1')).replaceAll(/\\(["\\/])/g, '$1');
}

function character(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
