import { CREDENTIAL_HEADERS } from '../../src/secrets/credential-headers.ts';
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
const placeholders = fuzzedSecrets.map(({ placeholder }) => placeholder);

/** A request that passes carries a real value only where and to whom it may, and no placeholder in any form a server undoes. */
export function fuzz(data: Buffer): void {
  const bytes = readBytes(data);
  const destination = destinations[bytes.below(4)]!;
  const method = ['GET', 'POST', 'TRACE', 'track'][bytes.below(4)]!;
  const url = `/${withTokens(bytes.line())}`;
  const rawHeaders: string[] = [];
  for (let count = bytes.below(4); count >= 0; count -= 1) rawHeaders.push(names[bytes.below(names.length)]!, withTokens(bytes.line()));
  const outcome = compiledFuzzedSecrets.substituteRequest({ method, url, rawHeaders, destination });
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
    if (!isCredential) check(outcome.rawHeaders[at + 1] === rawHeaders[at + 1], 'other headers stay');
  }
  for (const text of unescapings(url)) check(text !== url, 'an unescaping is another text');
}

/** What a server may make of a text: as it is, unescaped, and base64 undone, by means of its own. */
function readings(text: string): string[] {
  const percent = (given: string) => given.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const once = percent(text);
  const basic = /^\s*basic\s+([\w+/=-]+)\s*$/i.exec(text);
  return [text, once, percent(once), ...(basic === null ? [] : [Buffer.from(basic[1]!, 'base64').toString('latin1')])];
}
