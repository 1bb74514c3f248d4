import { describe, expect, it, test } from 'vitest';
import { compileSecrets, type OutgoingRequest } from '../../src/secrets/compile-secrets.ts';
import { normalisePath } from '../../src/policy/normalise-path.ts';
import { boundSecret, pinnedSecret } from './bound-secret.ts';

/** What must arrive as it is, whatever the place: separators, escapes, dot segments, what is beyond ASCII. */
const VALUE = 'a/../b?c=d&e+f#g%20;"é\\h i';
const P = 'DECOY_0123456789abcdef';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

function substitute(places: string, change: Partial<OutgoingRequest> & { host?: string; scheme?: 'http' | 'https' }, { max = 1, value = VALUE } = {}) {
  const { host = 'api.example.com', scheme = 'https', ...rest } = change;
  const secrets = compileSecrets([pinnedSecret('KEY', value, { places, max, placeholder: P })]);
  return secrets.substituteRequest({ method: 'GET', url: '/', rawHeaders: [], destination: { scheme, host, port: 443 }, ...rest });
}

describe('put in', () => {
  test.each<[place: string, what: string, Partial<OutgoingRequest>, Partial<OutgoingRequest>]>([
    ['header:x-token', 'the whole value', { rawHeaders: ['X-Token', P] }, { rawHeaders: ['X-Token', latin1(VALUE)] }],
    ['header:x-token', 'a part of it', { rawHeaders: ['x-token', `a ${P};b`] }, { rawHeaders: ['x-token', `a ${latin1(VALUE)};b`] }],
    ['header:cookie', 'a cookie', { rawHeaders: ['cookie', `a=1; k=${P}`] }, { rawHeaders: ['cookie', `a=1; k=${latin1(VALUE)}`] }],
    ['header:authorization', 'Bearer', { rawHeaders: ['authorization', `Bearer ${P}`] }, { rawHeaders: ['authorization', `Bearer ${latin1(VALUE)}`] }],
    ['header:authorization', 'Basic credentials', { rawHeaders: ['authorization', basic(`u:${P}`)] }, { rawHeaders: ['authorization', basic(`u:${VALUE}`)] }],
    ['credentials', 'a credential header', { rawHeaders: ['x-api-key', P] }, { rawHeaders: ['x-api-key', latin1(VALUE)] }],
    ['query:key', 'a value', { url: `/v1?a=1&key=${P}&b=2` }, { url: `/v1?a=1&key=${encodeURIComponent(VALUE)}&b=2` }],
    ['query:key', 'a part of a value', { url: `/?key=x${P}y` }, { url: `/?key=x${encodeURIComponent(VALUE)}y` }],
    ['query:key', 'percent-encoded', { url: `/?key=${P.replace('D', '%44').replace('_', '%5f')}` }, { url: `/?key=${encodeURIComponent(VALUE)}` }],
    ['query:key', 'a key percent-encoded', { url: `/?%6bey=${P}` }, { url: `/?%6bey=${encodeURIComponent(VALUE)}` }],
    ['query:a b', 'a key with a space', { url: `/?a+b=${P}` }, { url: `/?a+b=${encodeURIComponent(VALUE)}` }],
    ['query:schlüssel', 'a key beyond ASCII', { url: `/?schl%C3%BCssel=${P}` }, { url: `/?schl%C3%BCssel=${encodeURIComponent(VALUE)}` }],
    ['path', 'a segment', { url: `/v1/${P}/x?y=1` }, { url: '/v1/a%2F..%2Fb%3Fc%3Dd%26e%2Bf%23g%2520%3B%22%C3%A9%5Ch%20i/x?y=1' }],
    ['path', 'a part of a segment', { url: `/bot${P}/send` }, { url: '/bota%2F..%2Fb%3Fc%3Dd%26e%2Bf%23g%2520%3B%22%C3%A9%5Ch%20i/send' }],
    ['path', 'percent-encoded', { url: `/${P.replace('D', '%44')}` }, { url: '/a%2F..%2Fb%3Fc%3Dd%26e%2Bf%23g%2520%3B%22%C3%A9%5Ch%20i' }],
    ['query:key,header:x-token', 'both places', { url: `/?key=${P}`, rawHeaders: ['x-token', P] }, { url: `/?key=${encodeURIComponent(VALUE)}`, rawHeaders: ['x-token', latin1(VALUE)] }],
  ])('%s: %s', (places, _, change, expected) => {
    const result = substitute(places, change);
    expect(result).toMatchObject({ ok: true, ...expected, uses: [{ name: 'KEY', substitutions: places.split(',').length }] });
  });

  it('is read by a server as exactly the real value', () => {
    const query = substitute('query:key', { url: `/?key=${P}&other=1` });
    const url = new URL(query.ok ? query.url : '', 'https://api.example.com');
    expect([...url.searchParams]).toEqual([['key', VALUE], ['other', '1']]);
    const path = substitute('path', { url: `/a/${P}/b` });
    expect(new URL(path.ok ? path.url : '', 'https://api.example.com').pathname.split('/').map(decodeURIComponent)).toEqual(['', 'a', VALUE, 'b']);
  });

  it('leaves a Telegram-like token as its server expects it', () => {
    expect(substitute('path', { url: `/bot${P}/getMe` }, { value: '123456789:AAE-x_yZ0123' })).toMatchObject({ url: '/bot123456789:AAE-x_yZ0123/getMe' });
  });

  it('as often as `max` says, in each place', () => {
    expect(substitute('query:key,path', { url: `/${P}/${P}?key=${P}&key=${P}` }, { max: 2 })).toMatchObject({ ok: true, uses: [{ substitutions: 4 }] });
  });

  it('the longer of two placeholders where one is part of the other', () => {
    const short = pinnedSecret('SHORT', 'value-of-the-short', { places: 'query:key', placeholder: P });
    const long = pinnedSecret('LONG', 'value-of-the-long', { places: 'query:key', placeholder: `${P}x${P}` });
    const secrets = compileSecrets([short, long]);
    const request = { method: 'GET', rawHeaders: [], destination: { scheme: 'https', host: 'api.example.com', port: 443 } as const };
    expect(secrets.substituteRequest({ ...request, url: `/?key=${P}x${P}` })).toMatchObject({ ok: true, url: '/?key=value-of-the-long' });
    expect(secrets.substituteRequest({ ...request, url: `/?key=${P}x` })).toMatchObject({ ok: true, url: '/?key=value-of-the-shortx' });
  });
});

describe('refused', () => {
  const once = encodeURIComponent(P.replace('D', '%44'));
  test.each<[places: string, what: string, Parameters<typeof substitute>[1], reason: string, place: string]>([
    ['query:key', 'a credential header, which is no pinned place', { rawHeaders: ['authorization', `Bearer ${P}`] }, 'placeholder-wrong-place', 'header authorization'],
    ['header:x-token', 'another header', { rawHeaders: ['x-tokens', P] }, 'placeholder-wrong-place', 'header x-tokens'],
    ['header:x-token', 'Basic credentials of a header that has none', { rawHeaders: ['x-token', basic(`u:${P}`)] }, 'placeholder-wrong-place', 'header x-token, in base64 form'],
    ['query:key', 'its value, behind a semicolon', { url: `/?key=1;b=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'another key', { url: `/?keys=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'a key in other capitals', { url: `/?Key=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'the key itself', { url: `/?${P}=key` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'a query without keys', { url: `/?${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'the path', { url: `/key=${P}` }, 'placeholder-wrong-place', 'URL path'],
    ['query:key', 'its value, percent-encoded twice', { url: `/?key=${once}` }, 'placeholder-wrong-place', 'URL query, escaped'],
    ['query:key', 'its value, in hex', { url: `/?key=${Buffer.from(P).toString('hex')}` }, 'placeholder-wrong-place', 'URL query, in hex form'],
    ['path', 'the query', { url: `/?path=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['path', 'the right place and another one', { url: `/${P}?a=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['query:key', 'the value twice', { url: `/?key=${P}${P}` }, 'secret-repeated', 'URL query'],
    ['query:key', 'the key twice', { url: `/?key=${P}&key=${P}` }, 'secret-repeated', 'URL query'],
    ['credentials', 'two credential headers', { rawHeaders: ['authorization', P, 'x-api-key', P] }, 'secret-repeated', 'header x-api-key'],
    ['path', 'another host', { host: 'evil.example', url: `/${P}` }, 'placeholder-wrong-host', 'URL path'],
    ['path', 'plain HTTP', { scheme: 'http', url: `/${P}` }, 'placeholder-without-tls', 'URL path'],
    ['query:key', 'TRACE', { method: 'TRACE', url: `/?key=${P}` }, 'method-carries-no-secret', 'URL query'],
    ['query:key', 'the real value in its place', { url: `/?key=${encodeURIComponent(VALUE)}` }, 'real-secret-leaving', 'URL query'],
    ['path', 'the real value beside the placeholder', { url: `/${P}/${encodeURIComponent(VALUE)}` }, 'real-secret-leaving', 'URL path'],
  ])('%s: %s', (places, _, change, reason, place) => {
    expect(substitute(places, change)).toMatchObject({ ok: false, secret: 'KEY', reason, place: expect.stringMatching(new RegExp(`^${place}(, in percent form)?$`)) });
  });

  test('a placeholder with a slash in two segments', () => {
    const secrets = compileSecrets([pinnedSecret('KEY', VALUE, { places: 'path', placeholder: 'DECOY_01234/56789abcdef' })]);
    const request = { method: 'GET', rawHeaders: [], destination: { scheme: 'https', host: 'api.example.com', port: 443 } as const };
    expect(secrets.substituteRequest({ ...request, url: '/DECOY_01234/56789abcdef' })).toMatchObject({ ok: false, reason: 'placeholder-wrong-place' });
    expect(secrets.substituteRequest({ ...request, url: '/DECOY_01234%2F56789abcdef' })).toMatchObject({ ok: true });
  });
});

describe('the remedy is the line of configuration that would allow it', () => {
  const unpinned = boundSecret('KEY', VALUE, 'api.example.com', 'b.example.com');
  const secrets = compileSecrets([unpinned]);
  const ask = (change: Partial<OutgoingRequest>) =>
    secrets.substituteRequest({ method: 'GET', url: '/', rawHeaders: [], destination: { scheme: 'https', host: 'api.example.com', port: 443 }, ...change });
  test.each<[string, Partial<OutgoingRequest>, string]>([
    ['a query', { url: `/?key=${unpinned.placeholder}` }, '`KEY@api.example.com,b.example.com;in=query:key` in secrets (`--secret \'…\'` on the command line)'],
    ['a key that is no plain word', { url: `/?%22=${unpinned.placeholder}` }, '`KEY@api.example.com,b.example.com;in=query:KEY` in secrets (`--secret \'…\'` on the command line)'],
    ['the path', { url: `/${unpinned.placeholder}` }, '`KEY@api.example.com,b.example.com;in=path` in secrets (`--secret \'…\'` on the command line)'],
    ['a header', { rawHeaders: ['X-Note', unpinned.placeholder] }, '`KEY@api.example.com,b.example.com;in=header:x-note` in secrets (`--secret \'…\'` on the command line)'],
  ])('%s', (_, change, option) => {
    const result = ask(change);
    expect(result.ok ? '' : result.remedy).toContain(`or pin it to this place: write ${option}`);
  });

  test.each<[string, string, Partial<OutgoingRequest>, string | null]>([
    ['with what is pinned already', 'path,header:x-token', { url: `/?key=${P}` }, '`KEY@api.example.com;in=path,header:x-token,query:key` in secrets (`--secret \'…\'` on the command line)'],
    ['once more than now', 'path', { url: `/${P}/${P}` }, '`KEY@api.example.com;in=path;max=2` in secrets (`--secret \'…\'` on the command line)'],
    ['none where the place is pinned and the form is wrong', 'query:key', { url: `/?key=${Buffer.from(P).toString('hex')}` }, null],
    ['none for a header that cannot be pinned', 'path', { rawHeaders: ['range', P] }, null],
    ['none for a header that is no plain word', 'path', { rawHeaders: ['x~y', P] }, null],
  ])('%s', (_, places, change, option) => {
    const result = substitute(places, change);
    const remedy = result.ok ? '' : result.remedy;
    if (option === null) expect(remedy).not.toContain('--secret');
    else expect(remedy).toContain(option);
    expect(remedy).not.toContain(P);
  });

  it('never repeats a key that is a placeholder', () => {
    const result = substitute('path', { url: `/?${P}=${P}` });
    expect(JSON.stringify(result)).not.toContain(P);
  });
});

it('leaves a path that a rule understands one that it understands', () => {
  const result = substitute('path', { url: `/v1/${P}/x` }, { value: 'dots.and-dashes_1' });
  expect(result.ok && normalisePath(result.url)).toBe('/v1/dots.and-dashes_1/x');
});
