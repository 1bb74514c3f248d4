import { describe, expect, it, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { boundSecret, pinnedSecret } from './bound-secret.ts';
import { seededRandom } from './random.ts';

const key = boundSecret('API_KEY', 'sk-proj-aB3/E6gH9jK2mN5pQ8sT1v+X', 'api.example.com');
const password = boundSecret('DB_PASSWORD', 'p"ä ss/w+rd', 'db.example.com');
const secrets = compileSecrets([key, password]);
const bound = { scheme: 'https', host: 'api.example.com', port: 443 } as const;

describe('found in every form, wherever the stream is cut, before the last byte is passed on', () => {
  for (const secret of [key, password]) {
    for (const [kind, value] of [['placeholder', secret.placeholder], ['real value', secret.value]] as const) {
      test.each(encodedForms(value).map(({ encoding, text }) => [encoding, text]))(`${kind} of ${secret.name}, %s: %s`, (_, text) => {
        const body = Buffer.from(`{"a":"${text}"}`, 'latin1');
        const last = 6 + text.length;
        for (let cut = 1; cut < body.length; cut += 1) {
          const scanner = secrets.createOutgoingScanner(bound);
          const first = scanner.push(body.subarray(0, cut));
          const refusal = first ?? scanner.push(body.subarray(cut));
          expect(refusal?.secret).toBe(secret.name);
          expect(first !== null).toBe(cut >= last);
        }
      });
    }
  }
});

test('one byte at a time', () => {
  const scanner = secrets.createOutgoingScanner(bound);
  const refusals = Array.from(Buffer.from(`x${key.placeholder}`), (byte) => scanner.push(Buffer.from([byte])));
  expect(refusals.slice(0, -1).every((refusal) => refusal === null)).toBe(true);
  expect(refusals.at(-1)).toMatchObject({ reason: 'placeholder-wrong-place', place: 'body' });
});

test.each([
  ['a placeholder to its own host', key.placeholder, bound, 'placeholder-wrong-place'],
  ['a placeholder to another host', password.placeholder, bound, 'placeholder-wrong-host'],
  ['a placeholder in plain HTTP', key.placeholder, { ...bound, scheme: 'http' }, 'placeholder-without-tls'],
  ['a real value to its own host', key.value, bound, 'real-secret-leaving'],
  ['a real value to another host', password.value, bound, 'real-secret-leaving'],
] as const)('%s', (_, text, destination, reason) => {
  expect(secrets.createOutgoingScanner(destination).push(Buffer.from(text))).toMatchObject({ reason });
});

it('calls the place what the caller does', () => {
  expect(secrets.createOutgoingScanner(bound, { place: 'trailers' }).push(Buffer.from(key.placeholder))).toMatchObject({ place: 'trailers' });
});

it('lets everything else through, however cut', () => {
  const random = seededRandom(7);
  const scanner = secrets.createOutgoingScanner(bound);
  const body = Buffer.concat([random.bytes(20_000), Buffer.from(key.placeholder.slice(0, -1)), random.bytes(20_000)]);
  for (const chunk of random.cut(body, 999)) expect(scanner.push(chunk)).toBeNull();
});

describe('pinned to a field, in a body whose Content-Type has none, the remedy is the type', () => {
  const field = pinnedSecret('FIELD', 'value-of-a-field-0123456789', { places: 'path,body:auth.token' });
  const remedyFor = (secret: typeof field, contentType: string | null | undefined, text = secret.placeholder) =>
    compileSecrets([secret]).createOutgoingScanner(bound, contentType === undefined ? {} : { contentType }).push(Buffer.from(`{"auth":{"token":"${text}"}}`));

  test.each([[null], ['text/plain'], ['application/json, text/plain'], ['']])('%j', (contentType) => {
    expect(remedyFor(field, contentType)).toEqual({
      reason: 'placeholder-wrong-place', secret: 'FIELD', place: 'body',
      remedy: 'Secret `FIELD` is pinned to `body:auth.token`, but the body\'s Content-Type is none in which a field is looked for: send `content-type: application/json` with JSON, or `application/x-www-form-urlencoded` with a form.',
    });
  });

  test('and not elsewhere', () => {
    const places = 'Secret `FIELD` is swapped only where it stands unencoded in `path`, `body:auth.token`: send it there';
    expect(remedyFor(field, undefined)!.remedy).toContain(places);
    expect(remedyFor(field, 'application/json')!.remedy).toContain(places);
    expect(remedyFor(field, null, Buffer.from(field.placeholder).toString('base64'))!.remedy).toContain(places);
    expect(remedyFor(pinnedSecret('PATH_ONLY', 'value-of-a-path-0123456789', { places: 'path' }), null)!.remedy).toMatch(/^Secret `PATH_ONLY` is swapped only where it stands unencoded in `path`: send it there, or pin it/);
  });
});
