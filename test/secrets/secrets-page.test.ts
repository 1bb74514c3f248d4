import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parseSecretOptions } from '../../src/inputs/parse-secrets.ts';
import { decodableCodings } from '../../src/proxy/coding.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { CREDENTIAL_HEADERS } from '../../src/secrets/credential-headers.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import type { Place } from '../../src/secrets/place.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { runCli } from '../cli/run-cli.ts';
import { pinnedSecret } from './bound-secret.ts';

const page = readFileSync(new URL('../../docs/secrets.md', import.meta.url), 'utf8');

function rowsBelow(heading: string): string[][] {
  const section = page.split(/^#{2,3} /m).find((text) => text.startsWith(heading))!;
  return section.split('\n').filter((line) => line.startsWith('|')).slice(2).map((line) => line.slice(1, -1).split('|').map((cell) => cell.trim()));
}

it('lists the headers in which a placeholder is swapped', () => {
  expect(rowsBelow('What is swapped')).toEqual(CREDENTIAL_HEADERS.map(({ name, usedBy }) => [`\`${name}\``, usedBy]));
});

it('lists the signatures there are', () => {
  const places = rowsBelow('Signatures').map(([text]) => parsePlaces(text!.replaceAll('`', '')).places[0]);
  expect(places.map((place) => place?.kind === 'signature' && place.scheme)).toEqual(['aws-sigv4', 'jwt', 'hmac-sha256']);
});

describe('the places', () => {
  const value = 'a/b "é+';
  const rows = rowsBelow('Places').map(([place, , written]) => [place!.replaceAll('`', ''), written!.replaceAll('`', '')] as const);
  const found = Object.fromEntries(rows);

  it('are all there are', () => {
    const kinds = Object.keys(found).map((text) => parsePlaces(text.split(', ')[0]!).places[0]!.kind);
    expect(kinds).toEqual(['credentials', 'header', 'query', 'path', 'body', 'field', 'field', 'field'] satisfies Place['kind'][]);
  });

  test.each<[string, string, (placeholder: string) => Sent]>([
    ['credentials', 'x-api-key', (placeholder) => ({ rawHeaders: ['x-api-key', placeholder] })],
    ['header:NAME', 'name', (placeholder) => ({ rawHeaders: ['name', placeholder] })],
    ['query:KEY', '/?KEY=', (placeholder) => ({ url: `/?KEY=${placeholder}` })],
    ['path', '/', (placeholder) => ({ url: `/${placeholder}` })],
    ['body', '', (placeholder) => ({ body: placeholder, contentType: 'text/plain' })],
    ['body:FIELD, JSON', '{"FIELD":"', (placeholder) => ({ body: `{"FIELD":"${placeholder}"}`, contentType: 'application/json' })],
    ['body:FIELD, form', 'FIELD=', (placeholder) => ({ body: `FIELD=${placeholder}`, contentType: 'application/x-www-form-urlencoded' })],
    ['body:FIELD, multipart', '\r\n\r\n', (placeholder) => ({
      body: `--b\r\nContent-Disposition: form-data; name="FIELD"\r\n\r\n${placeholder}\r\n--b--`, contentType: 'multipart/form-data; boundary=b',
    })],
  ])('%s is written as the page says', (row, before, requestWith) => {
    const secret = pinnedSecret('KEY', value, { places: row.split(', ')[0]! });
    expect(sent(secret, requestWith(secret.placeholder))).toContain(`${before}${found[row]}`);
  });
});

type Sent = { url?: string; rawHeaders?: string[]; body?: string; contentType?: string; host?: string };

function sent(secret: Secret, { url = '/', rawHeaders = [], body = '', contentType, host = 'api.example.com' }: Sent): string {
  const secrets = compileSecrets([secret]);
  const destination = { scheme: 'https', host, port: 443 } as const;
  if (contentType === undefined) {
    const result = secrets.substituteRequest({ method: 'GET', url, rawHeaders, destination });
    return result.ok ? `${result.url}${Buffer.from(result.rawHeaders.join(''), 'latin1').toString()}` : '';
  }
  const substitution = secrets.openBodySubstitution({ destination, method: 'POST', contentType });
  // Searched only, and not here.
  if (substitution === null) return '';
  return [substitution.push(Buffer.from(body)), substitution.end()].map((step) => (step.ok ? step.bytes.toString('latin1') : '')).join('').replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString());
}

describe('the examples', () => {
  test.each(rowsBelow('Examples').map((cells) => cells.map((cell) => cell.replace(/^`(.*)`$/, '$1'))))('%s', (_, option, sends) => {
    const value = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4';
    const name = option!.split('@')[0]!;
    const { secrets: bindings, problems } = parseSecretOptions([option!], { [name]: value });
    expect(problems).toEqual([]);
    const [secret] = mintSecrets(bindings) as [Secret];
    const request = exampleRequest(sends!.replace(`$${name}`, secret.placeholder));
    expect(sent(secret, { ...request, host: secret.hostTexts[0]! })).toContain(sends!.replace(/^(GET|POST) /, '').replace(/^[\w-]+: /, '').replace(`$${name}`, value));
    expect(sent(secret, { ...request, host: 'other.example.com' })).not.toContain(value);
  });
});

/** As a row shows it: a request line, a header, or a body that is JSON or a form. */
function exampleRequest(text: string): Sent {
  const header = /^([\w-]+): (.*)$/.exec(text);
  if (header !== null) return { rawHeaders: header.slice(1) };
  if (/^[A-Z]+ \//.test(text)) return { url: text.split(' ')[1]! };
  return { body: text, contentType: text.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded' };
}

it('lists the forms', () => {
  expect(rowsBelow('What is scrubbed').map(([form]) => form)).toEqual([...new Set(encodedForms('aB3 "/é+dE6gH9>>>???').map(({ encoding }) => encoding))]);
});

it('lists the content codings', () => {
  expect(rowsBelow('Codings').map(([coding]) => coding!.replaceAll('`', ''))).toEqual([...decodableCodings]);
});

it('has header names in lower case, once each, and neither cookies nor what is for the next hop', () => {
  const names = CREDENTIAL_HEADERS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names.map((name) => name.toLowerCase()))]);
  expect(names).not.toContain('cookie');
  expect(names).not.toContain('proxy-authorization');
});

it('shows what `decoy check` prints', () => {
  const [, words, printed] = /^\$ decoy (check .*)\n([^]*?)```/m.exec(page)!;
  const args = [...words!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  expect(runCli(args)).toEqual({ exitCode: 0, stdout: printed, lines: [] });
});
