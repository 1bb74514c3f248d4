import { describe, expect, it, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import { boundSecret, pinnedSecret } from './bound-secret.ts';

const key = boundSecret('KEY', 'sk-proj-aB3/E6gH9jK2mN5pQ8sT1v+X', 'api.example.com');
const pinned = pinnedSecret('PINNED', 'value-of-the-pinned', { places: 'header:x-token', host: 'pinned.example.com' });

function substitute(foreignCredentials: 'allow' | 'strip' | 'block', rawHeaders: string[], host = 'api.example.com') {
  return compileSecrets([key, pinned], { foreignCredentials }).substituteRequest({ method: 'GET', url: '/', rawHeaders, destination: { scheme: 'https', host, port: 443 } });
}

const own = ['Accept', '*/*', 'Authorization', 'Bearer own', 'x-api-key', key.placeholder];

test.each([
  ['allow', own, ['Accept', '*/*', 'Authorization', 'Bearer own', 'x-api-key', key.value]],
  ['strip', own, ['Accept', '*/*', 'x-api-key', key.value]],
  ['strip', ['x-api-key', 'own', 'cookie', 'a=b'], ['cookie', 'a=b']],
  ['strip', ['authorization', `Bearer ${key.placeholder}`, 'authorization', 'Bearer own'], ['authorization', `Bearer ${key.value}`]],
  ['strip', ['X_Api_Key', 'own', 'x_note', 'a'], ['x_note', 'a']],
  ['block', ['authorization', `Bearer ${key.placeholder}`], ['authorization', `Bearer ${key.value}`]],
  ['block', ['accept', '*/*', 'cookie', 'a=b'], ['accept', '*/*', 'cookie', 'a=b']],
] as const)('%s: %j', (foreignCredentials, rawHeaders, expected) => {
  expect(substitute(foreignCredentials, [...rawHeaders])).toMatchObject({ ok: true, rawHeaders: expected });
});

describe('block', () => {
  test.each([
    ['of its own', own, 'header authorization'],
    ['without any placeholder', ['x-api-key', 'own'], 'header x-api-key'],
    ['with underscores, which are hyphens to some servers', ['X_Api_Key', 'own'], 'header x_api_key'],
    ['beside a right one', ['authorization', `Bearer ${key.placeholder}`, 'Authorization', 'Bearer own'], 'header authorization'],
  ])('a credential %s', (_, rawHeaders, place) => {
    expect(substitute('block', rawHeaders)).toMatchObject({
      ok: false, reason: 'foreign-credential', place, secret: 'KEY', remedy: expect.stringContaining('set `foreign-credentials` to `strip` or `allow`'),
    });
  });

  it('holds for headers a secret of the host is pinned to', () => {
    expect(substitute('block', ['x-token', 'own'], 'pinned.example.com')).toMatchObject({ ok: false, reason: 'foreign-credential', place: 'header x-token', secret: 'PINNED' });
    expect(substitute('block', ['x-token', pinned.placeholder], 'pinned.example.com')).toMatchObject({ ok: true });
    expect(substitute('block', ['X_Token', 'own'], 'pinned.example.com')).toMatchObject({ ok: false, reason: 'foreign-credential', place: 'header x_token' });
    expect(substitute('block', ['x-token', 'own'])).toMatchObject({ ok: true });
  });

  it('says nothing about hosts without a bound secret', () => {
    expect(substitute('block', ['authorization', 'Bearer own'], 'other.example.com')).toMatchObject({ ok: true });
  });
});
