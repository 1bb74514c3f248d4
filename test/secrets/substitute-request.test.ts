import { describe, expect, it, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { OutgoingRequest } from '../../src/secrets/compile-secrets.ts';
import { CREDENTIAL_HEADERS } from '../../src/secrets/credential-headers.ts';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { boundSecret } from './bound-secret.ts';

const openai = boundSecret('OPENAI_API_KEY', 'sk-proj-aB3/E6gH9jK2mN5pQ8sT1v+X', 'api.openai.com');
const github = boundSecret('GH_TOKEN', `ghp_${'aB3dE6gH9'.repeat(4)}`, 'api.github.com', '**.example.com');
const accented = boundSecret('ACCENTED', 'pässwort-mit-akzent', 'api.openai.com');
const secrets = compileSecrets([openai, github, accented]);
const [P, G, A] = [openai.placeholder, github.placeholder, accented.placeholder];
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const everyByte = (text: string): string => Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

function request(change: Partial<OutgoingRequest> & { host?: string; scheme?: 'http' | 'https' }): OutgoingRequest {
  const { host = 'api.openai.com', scheme = 'https', ...rest } = change;
  return { method: 'POST', url: '/v1/chat', rawHeaders: [], destination: { scheme, host, port: scheme === 'https' ? 443 : 80 }, ...rest };
}

describe('swapped', () => {
  test.each([
    ['Bearer', ['Authorization', `Bearer ${P}`], ['Authorization', `Bearer ${openai.value}`]],
    ['any letter case of the name', ['AUTHORIZATION', `Bearer ${P}`], ['AUTHORIZATION', `Bearer ${openai.value}`]],
    ['another scheme', ['authorization', `token ${P}`], ['authorization', `token ${openai.value}`]],
    ['no scheme', ['authorization', P], ['authorization', openai.value]],
    ['as a parameter', ['authorization', `Token token="${P}", x=1`], ['authorization', `Token token="${openai.value}", x=1`]],
    ['twice in one value', ['authorization', `${P},${P}`], ['authorization', `${openai.value},${openai.value}`]],
    ['Basic password', ['authorization', basic(`user:${P}`)], ['authorization', basic(`user:${openai.value}`)]],
    ['Basic user', ['authorization', basic(`${P}:`)], ['authorization', basic(`${openai.value}:`)]],
    ['Basic, lower case, no padding', ['authorization', basic(`u:${P}`).replace('Basic', 'basic').replace(/=+$/, '')], ['authorization', basic(`u:${openai.value}`).replace('Basic', 'basic')]],
    ['its UTF-8 bytes', ['x-api-key', A], ['x-api-key', Buffer.from(accented.value).toString('latin1')]],
    ['UTF-8 bytes in Basic', ['authorization', basic(`é:${A}`)], ['authorization', basic(`é:${accented.value}`)]],
    ['two secrets of one host', ['authorization', P, 'x-api-key', A], ['authorization', openai.value, 'x-api-key', Buffer.from(accented.value).toString('latin1')]],
    ['others stay', ['Host', 'api.openai.com', 'Authorization', P, 'Cookie', 'a=b'], ['Host', 'api.openai.com', 'Authorization', openai.value, 'Cookie', 'a=b']],
  ])('%s', (_, rawHeaders, expected) => {
    expect(secrets.substituteRequest(request({ rawHeaders }))).toMatchObject({ ok: true, rawHeaders: expected });
  });

  test.each(CREDENTIAL_HEADERS.map(({ name }) => name))('%s', (name) => {
    expect(secrets.substituteRequest(request({ rawHeaders: [name, P] }))).toEqual({
      ok: true, url: '/v1/chat', rawHeaders: [name, openai.value], uses: [{ name: 'OPENAI_API_KEY', substitutions: 1 }], signatures: null,
    });
  });

  it('counts every swap', () => {
    const result = secrets.substituteRequest(request({ rawHeaders: ['authorization', `${P} ${P}`, 'x-api-key', `${P}${A}`] }));
    expect(result).toMatchObject({ uses: [{ name: 'OPENAI_API_KEY', substitutions: 3 }, { name: 'ACCENTED', substitutions: 1 }] });
  });

  it('at any depth below a host bound with `**.`', () => {
    expect(secrets.substituteRequest(request({ host: 'a.b.example.com', rawHeaders: ['authorization', G] }))).toMatchObject({ ok: true });
  });

  it('leaves a request without placeholders as it is, the very array', () => {
    const rawHeaders = ['authorization', 'Bearer x%20y', 'x', '\\u0041'];
    const result = secrets.substituteRequest(request({ rawHeaders, url: '/a%2Fb?q=%zz' }));
    expect(result).toEqual({ ok: true, url: '/a%2Fb?q=%zz', rawHeaders, uses: [], signatures: null });
    expect(result.ok && result.rawHeaders).toBe(rawHeaders);
  });
});

describe('refused', () => {
  const once = encodeURIComponent(P);
  test.each([
    ['another header', { rawHeaders: ['x-custom', P] }, 'placeholder-wrong-place', 'header x-custom'],
    ['a cookie', { rawHeaders: ['cookie', `k=${P}`] }, 'placeholder-wrong-place', 'header cookie'],
    ['the credential of the next hop', { rawHeaders: ['proxy-authorization', `Bearer ${P}`] }, 'placeholder-wrong-place', 'header proxy-authorization'],
    ['a header name', { rawHeaders: [P, 'x'] }, 'placeholder-wrong-place', 'header name'],
    ['the path', { url: `/v1/${P}` }, 'placeholder-wrong-place', 'URL path'],
    ['the query', { url: `/v1?key=${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['the query behind a second mark', { url: `/v1?a=?${P}` }, 'placeholder-wrong-place', 'URL query'],
    ['the query, percent-encoded', { url: `/v1?key=${encodedForms(P).find(({ text }) => text.startsWith('%'))!.text}` }, 'placeholder-wrong-place', 'URL query, in percent form'],
    ['the query, one character percent-encoded', { url: `/v1?key=${P.replace('s', '%73')}` }, 'placeholder-wrong-place', 'URL query'],
    ['the query, percent-encoded twice', { url: `/v1?key=${encodeURIComponent(once.replace('s', '%73'))}` }, 'placeholder-wrong-place', 'URL query'],
    ['a header, JSON-escaped', { rawHeaders: ['x-json', `{"k":"${P.replace('s', String.raw`\u0073`)}"}`] }, 'placeholder-wrong-place', 'header x-json'],
    ['a header, in hex', { rawHeaders: ['x-hex', Buffer.from(P).toString('hex')] }, 'placeholder-wrong-place', 'header x-hex, in hex form'],
    ...['', 'a', 'ab'].map((lead) => [
      `a header, in base64 behind ${lead.length} bytes`, { rawHeaders: ['x-b64', Buffer.from(`${lead}${P}!`).toString('base64')] }, 'placeholder-wrong-place', 'header x-b64, in base64 form',
    ] as const),
    ['a credential header, in base64', { rawHeaders: ['x-api-key', Buffer.from(P).toString('base64')] }, 'placeholder-wrong-place', 'header x-api-key, in base64 form'],
    ['a credential header, escaped beside one swapped', { rawHeaders: ['authorization', `${P} ${P.replace('s', '%73')}`] }, 'placeholder-wrong-place', 'header authorization, escaped'],
    ['Basic credentials, percent-encoded', { rawHeaders: ['authorization', basic(`u:${P.replace('s', '%73')}`)] }, 'placeholder-wrong-place', 'header authorization, escaped'],
    ['Basic credentials of another header, each byte percent-encoded', { rawHeaders: ['x-legacy-auth', basic(`u:${everyByte(P)}`)] }, 'placeholder-wrong-place', 'header x-legacy-auth, in base64 form'],
    ['two places, one of them right', { rawHeaders: ['authorization', P, 'x-copy', P] }, 'placeholder-wrong-place', 'header x-copy'],
    ['a strange header name is not repeated', { rawHeaders: ['x<script>', P] }, 'placeholder-wrong-place', 'header'],
    ['another host', { host: 'evil.example', rawHeaders: ['authorization', P] }, 'placeholder-wrong-host', 'header authorization'],
    ['a subdomain of the host', { host: 'x.api.openai.com', rawHeaders: ['authorization', P] }, 'placeholder-wrong-host', 'header authorization'],
    ['the apex of `**.`', { host: 'example.com', rawHeaders: ['authorization', G] }, 'placeholder-wrong-host', 'header authorization'],
    ['the host of another secret', { host: 'api.github.com', rawHeaders: ['authorization', P] }, 'placeholder-wrong-host', 'header authorization'],
    ['another host, in the path', { host: 'evil.example', url: `/${P}` }, 'placeholder-wrong-host', 'URL path'],
    ['plain HTTP', { scheme: 'http', rawHeaders: ['authorization', P] }, 'placeholder-without-tls', 'header authorization'],
    ['TRACE', { method: 'TRACE', rawHeaders: ['authorization', P] }, 'method-carries-no-secret', 'header authorization'],
    ['track', { method: 'track', rawHeaders: ['authorization', P] }, 'method-carries-no-secret', 'header authorization'],
  ] as const)('%s', (_, change, reason, place) => {
    const result = secrets.substituteRequest(request(change as Parameters<typeof request>[0]));
    expect(result).toMatchObject({ ok: false, reason, place });
  });

  test.each([
    ['the right header of the bound host', { rawHeaders: ['authorization', `Bearer ${openai.value}`] }],
    ['beside a placeholder', { rawHeaders: ['authorization', `Bearer ${P}`, 'x', openai.value] }],
    ['another host', { host: 'evil.example', rawHeaders: ['x', openai.value] }],
    ['Basic credentials', { rawHeaders: ['authorization', basic(`u:${openai.value}`)] }],
    ['Basic credentials, percent-encoded', { rawHeaders: ['authorization', basic(`user:${openai.value.replace('s', '%73')}x`), 'cookie', P] }],
    ['Basic credentials, each byte percent-encoded', { rawHeaders: ['x-other', 'y', 'authorization', basic(`u:${everyByte(openai.value)}`)] }],
    ['the path', { url: `/${encodeURIComponent(openai.value)}` }],
    ['the query, in hex', { url: `/?${Buffer.from(openai.value).toString('hex')}` }],
    ['a header name', { rawHeaders: [openai.value, ''] }],
    ['TRACE', { method: 'TRACE', rawHeaders: ['x', openai.value] }],
  ])('a real value: %s', (_, change) => {
    expect(secrets.substituteRequest(request(change))).toMatchObject({ ok: false, reason: 'real-secret-leaving', secret: 'OPENAI_API_KEY' });
  });

  it('says which line of configuration would allow it', () => {
    const result = secrets.substituteRequest(request({ host: 'evil.example', rawHeaders: ['authorization', P] }));
    expect(result).toMatchObject({ secret: 'OPENAI_API_KEY', remedy: expect.stringContaining('bind it: write `OPENAI_API_KEY@api.openai.com,evil.example` in secrets') });
  });

  it('never names a placeholder or a value', () => {
    for (const change of [{ url: `/${P}` }, { url: `/${openai.value}` }, { host: 'evil.example', rawHeaders: [P, openai.value] }, { rawHeaders: ['x', openai.value] }]) {
      const told = JSON.stringify(secrets.substituteRequest(request(change)));
      for (const text of [...encodedForms(P), ...encodedForms(openai.value)]) expect(told).not.toContain(text.text);
    }
  });
});
