import { describe, expect, it, test } from 'vitest';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { pinnedSecret } from './bound-secret.ts';
import { seededRandom } from './random.ts';

/** What must arrive as it is in every kind of body. */
const VALUE = 'a"b\\c/d&e=f+g%20 é€;h';
const P = 'DECOY_0123456789abcdef';
const JSON_TYPE = 'application/json';
const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=B-1';

const key = (places: string, { max = 1, value = VALUE } = {}): Secret => pinnedSecret('KEY', value, { places, max, placeholder: P });
const part = (name: string, content: string, head = `Content-Disposition: form-data; name="${name}"`): string => `--B-1\r\n${head}\r\n\r\n${content}\r\n`;
const form = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2);

type Sent = { body: string; reason?: string; secret?: string; place?: string; remedy?: string; uses?: unknown; keepsLength?: boolean };

/** Sends a body in chunks: what went out before its end, and what came of it. */
function send(secrets: readonly Secret[], { contentType, chunks, method = 'POST', host = 'api.example.com' }: { contentType: string | null; chunks: readonly Buffer[]; method?: string; host?: string }): Sent | null {
  const substitution = compileSecrets(secrets).openBodySubstitution({ destination: { scheme: 'https', host, port: 443 }, method, contentType });
  if (substitution === null) return null;
  const sent: Buffer[] = [];
  for (const step of [...chunks.map((chunk) => () => substitution.push(chunk)), () => substitution.end()]) {
    const result = step();
    if (!result.ok) return { ...result, body: Buffer.concat(sent).toString() };
    sent.push(result.bytes);
  }
  return { body: Buffer.concat(sent).toString(), uses: substitution.uses(), keepsLength: substitution.keepsLength };
}

const everySplit = (text: string): Buffer[][] => {
  const body = Buffer.from(text);
  return [[body], Array.from(body, (byte) => Buffer.from([byte])), ...Array.from({ length: Math.max(0, body.length - 1) }, (_, at) => [body.subarray(0, at + 1), body.subarray(at + 1)])];
};

describe('put in, wherever the body is cut', () => {
  const json = JSON.stringify(VALUE).slice(1, -1);
  const query = encodeURIComponent(VALUE);
  test.each<[places: string, what: string, contentType: string | null, body: string, expected: string]>([
    ['body:a', 'a string of JSON', JSON_TYPE, `{"a":"${P}","b":1}`, `{"a":"${json}","b":1}`],
    ['body:a', 'a part of a string', JSON_TYPE, `{"a":"x ${P} y"}`, `{"a":"x ${json} y"}`],
    ['body:a', 'escaped', JSON_TYPE, `{"a":"${P.replace('D', String.raw`\u0044`)}"}`, `{"a":"${json}"}`],
    ['body:a.*.b', 'a path', 'application/vnd.api+json; charset=UTF-8', `{"a":[{"b":"${P}"}]}`, `{"a":[{"b":"${json}"}]}`],
    ['body:a', 'a key with an escape', JSON_TYPE, String.raw`{"\u0061":"${P}"}`, String.raw`{"\u0061":"${json}"}`],
    ['body:a', 'a field of a form', FORM, `x=1&a=${P}&b=%zz`, `x=1&a=${query}&b=%zz`],
    ['body:a', 'a part of a field', FORM, `a=x+${P}%20y`, `a=x+${query}%20y`],
    ['body:a', 'percent-encoded', FORM, `a=${P.replace('D', '%44').replace('_', '%5f')}`, `a=${query}`],
    ['body:a b', 'a field name that is encoded', FORM, `a+b=${P}&c=`, `a+b=${query}&c=`],
    ['body:auth[token]', 'a field name with brackets', `${FORM}; charset=utf-8`, `auth%5Btoken%5D=${P}`, `auth%5Btoken%5D=${query}`],
    ['body:a.b', 'a field name with a dot', FORM, `a.b=${P}`, `a.b=${query}`],
    ['body:a', 'a part of a multipart form', MULTIPART, `${part('b', 'x')}${part('a', `x ${P}`)}--B-1--\r\n`, `${part('b', 'x')}${part('a', `x ${VALUE}`)}--B-1--\r\n`],
    ['body:a', 'a file', MULTIPART, `${part('a', P, 'content-type: text/plain\r\ncontent-disposition: form-data; filename="f.txt"; name=a')}--B-1--`, `${part('a', VALUE, 'content-type: text/plain\r\ncontent-disposition: form-data; filename="f.txt"; name=a')}--B-1--`],
    ['body', 'anywhere', null, `<x>${P}</x>`, `<x>${VALUE}</x>`],
    ['body', 'anywhere, whatever the type says', JSON_TYPE, `not json ${P}`, `not json ${VALUE}`],
    ['body,header:x', 'at the very end', 'text/plain', P, VALUE],
    ['body:a', 'nothing, in an empty body', JSON_TYPE, '', ''],
    ['body:a', 'nothing, where it does not occur', JSON_TYPE, '{"a":"DECOY_0123456789abcde","b":"DECOY_"}', '{"a":"DECOY_0123456789abcde","b":"DECOY_"}'],
  ])('%s: %s', (places, _, contentType, body, expected) => {
    for (const chunks of everySplit(body)) {
      expect(send([key(places)], { contentType, chunks })).toMatchObject({ body: expected, uses: body.includes('0123456789abcdef') ? [{ name: 'KEY', substitutions: 1 }] : [] });
    }
  });

  it('is read by a server as exactly the real value', () => {
    const inJson = send([key('body:a')], { contentType: JSON_TYPE, chunks: [Buffer.from(`{"a":"${P}"}`)] });
    expect(JSON.parse(inJson!.body)).toEqual({ a: VALUE });
    const inForm = send([key('body:a')], { contentType: FORM, chunks: [Buffer.from(`a=${P}&b=${form(VALUE.replace('a', 'b'))}`)] });
    expect([...new URLSearchParams(inForm!.body)]).toEqual([['a', VALUE], ['b', VALUE.replace('a', 'b')]]);
  });

  it('two secrets in one string, one of them pinned to the whole body', () => {
    const other = pinnedSecret('OTHER', 'value"of"other', { places: 'body', placeholder: 'DECOY_fedcba9876543210' });
    const body = `{"a":"${P}${other.placeholder}","b":"${other.placeholder}"}`;
    for (const chunks of everySplit(body)) {
      expect(send([key('body:a'), { ...other, pins: { ...other.pins!, max: 2 } }], { contentType: JSON_TYPE, chunks })?.body).toBe(`{"a":"${json}value"of"other","b":"value"of"other"}`);
    }
  });

  it('the longer of two placeholders where one is part of the other', () => {
    const long = pinnedSecret('LONG', 'value-of-the-long', { places: 'body:a', placeholder: `${P}x${P}` });
    const body = `{"a":"${P}x${P} ${P}x"}`;
    for (const chunks of everySplit(body)) {
      expect(send([key('body:a', { value: 'value-of-key' }), long], { contentType: JSON_TYPE, chunks })?.body).toBe('{"a":"value-of-the-long value-of-keyx"}');
    }
  });

  it('as often as `max` says, in each place', () => {
    const body = `{"a":"${P}${P}","b":"${P}"}`;
    expect(send([key('body:a,body:b', { max: 2 })], { contentType: JSON_TYPE, chunks: [Buffer.from(body)] })).toMatchObject({ uses: [{ substitutions: 3 }] });
  });

  it('in long random bodies, however they are cut', () => {
    const random = seededRandom(5);
    const filler = (): string => Array.from({ length: random.below(3000) }, () => 'abcDECOY_01é&='[random.below(14)]).join('');
    for (let round = 0; round < 40; round += 1) {
      const data = { x: filler(), a: `${filler()}${P}${filler()}`, z: [filler()] };
      const sent = send([key('body:a')], { contentType: JSON_TYPE, chunks: random.cut(Buffer.from(JSON.stringify(data)), 500) });
      expect(JSON.parse(sent!.body)).toEqual({ ...data, a: data.a.replace(P, VALUE) });
    }
  });
});

describe('refused before its last byte has left, wherever the body is cut', () => {
  test.each<[places: string, what: string, contentType: string | null, body: string, reason: string]>([
    ['body:a', 'another key', JSON_TYPE, `{"b":"${P}"}`, 'placeholder-wrong-place'],
    ['body:a', 'a key', JSON_TYPE, `{"${P}":"a"}`, 'placeholder-wrong-place'],
    ['body:a', 'below the key', JSON_TYPE, `{"a":["${P}"]}`, 'placeholder-wrong-place'],
    ['body:a', 'the right place and another', JSON_TYPE, `{"a":"${P}","b":"${P}"}`, 'placeholder-wrong-place'],
    ['body:a', 'in base64', JSON_TYPE, `{"a":"${Buffer.from(P).toString('base64')}"}`, 'placeholder-wrong-place'],
    ['body:a', 'another field', FORM, `a=1&b=${P}`, 'placeholder-wrong-place'],
    ['body:a', 'a field name', FORM, `${P}=a`, 'placeholder-wrong-place'],
    ['body:a', 'a field without a value', FORM, `a&${P}`, 'placeholder-wrong-place'],
    ['body:a', 'behind a semicolon, which some servers take for &', FORM, `a=1;b=${P}`, 'placeholder-wrong-place'],
    ['body:a', 'another part', MULTIPART, `${part('a', 'x')}${part('b', P)}--B-1--`, 'placeholder-wrong-place'],
    ['body:a', 'a header of a part', MULTIPART, `${part('a', 'x', `content-disposition: form-data; name=a; filename=${P}`)}--B-1--`, 'placeholder-wrong-place'],
    ...[
      'content-disposition: form-data', 'content-disposition: attachment; name=a', 'content-disposition: form-data; name=a; name=b', 'content-disposition: form-data; name=a; name*=a',
      'content-disposition: form-data; name=a\r\ncontent-disposition: form-data; name=a', 'content-disposition: form-data;\r\n name=a', String.raw`content-disposition: form-data; name="\a"`,
      'content-disposition: form-data; name=a\r\ncontent-transfer-encoding: base64', 'content-disposition: form-data; name=a\r\ncontent-type: multipart/mixed; boundary=x', 'content-disposition: form-data; name=a\nx: y',
      'content-disposition : form-data; name=a', 'content-disposition: form-data; name="a',
      'content-disposition: form-data; name*0="b"; name=a', 'content-disposition: form-data; name*0*=b; name=a', 'content-disposition: form-data; name=a; x=y',
      `content-disposition: form-data; filename='; name="a"; x='`, 'content-disposition: form-data; filename="; name=b; "; name=a', String.raw`content-disposition: form-data; filename="a\"; name=\"b"; name="a"`,
    ].map((head): [string, string, string, string, string] => ['body:a', `a part with ${JSON.stringify(head)}`, MULTIPART, `${part('a', P, head)}--B-1--`, 'placeholder-wrong-place']),
    ['body:a', 'more often than `max`', JSON_TYPE, `{"a":"${P} ${P}"}`, 'secret-repeated'],
    ['body:*', 'more often than `max`, in several strings', JSON_TYPE, `{"a":"${P}","b":"${P}"}`, 'secret-repeated'],
    ['body:a', 'two fields of one name', FORM, `a=${P}&a=${P}`, 'secret-repeated'],
    ['body', 'more often than `max`, anywhere', null, `${P} ${P}`, 'secret-repeated'],
    ['body', 'escaped, where its bytes are looked for', JSON_TYPE, `{"a":"${[...P].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}"}`, 'placeholder-wrong-place'],
    ['body:a', 'the real value in its place', JSON_TYPE, `{"a":${JSON.stringify(VALUE)}}`, 'real-secret-leaving'],
    ['body', 'the real value beside the placeholder', null, `${P} ${VALUE}`, 'real-secret-leaving'],
    ['body:a', 'the real value in another field', FORM, `a=${P}&b=${form(VALUE)}`, 'real-secret-leaving'],
  ])('%s: %s', (places, _, contentType, body, reason) => {
    for (const chunks of everySplit(body)) {
      const sent = send([key(places)], { contentType, chunks });
      expect(sent).toMatchObject({ reason, secret: 'KEY', place: expect.stringMatching(/^body/) });
      // What went out before holds no whole placeholder; one that was put in rightly may have gone.
      expect(sent!.body).not.toContain(P);
      expect(sent!.remedy).not.toContain(P);
    }
  });

  test.each<[what: string, contentType: string, body: string]>([
    ['cut JSON', JSON_TYPE, `{"a":"${P}"`],
    ['JSON with something behind it', JSON_TYPE, `{"a":"${P}"} x`],
    ['JSON that is none', JSON_TYPE, 'a=1'],
    ['a byte order mark', JSON_TYPE, `\ufeff{"a":"${P}"}`],
    ['another character set', `${JSON_TYPE}; charset=utf-16`, `{"a":"${P}"}`],
    ['a form in another character set', `${FORM}; charset=iso-8859-1`, `a=${P}`],
    ['a parameter given twice', `${JSON_TYPE}; charset=utf-8; charset=utf-16`, `{"a":"${P}"}`],
    ['nested too deep', JSON_TYPE, `${'['.repeat(513)}${']'.repeat(513)}`],
    ['no boundary', 'multipart/form-data', `${part('a', P)}--B-1--`],
    ['a boundary no part may have', 'multipart/form-data; boundary="a\tb"', 'x'],
    ...[`boundary*=utf-8''C; boundary=B-1`, 'boundary*0=C; boundary=B-1', 'xboundary=C; boundary=B-1', 'x="; boundary=C"; boundary=B-1'].map((parameters): [string, string, string] => (
      [`another boundary: ${parameters}`, `multipart/form-data; ${parameters}`, `${part('a', P)}--B-1--`]
    )),
    ['no last boundary', MULTIPART, part('a', P)],
    ['lines that end with LF', MULTIPART, `${part('a', P)}--B-1--`.replaceAll('\r\n', '\n')],
    ['a boundary behind a lone LF', MULTIPART, `${part('b', 'x\n--B-1\ncontent-disposition: form-data; name="a"\n\ny')}--B-1--`],
    ['a boundary within a part', MULTIPART, `${part('a', `x--B-1 ${P}`)}--B-1--`],
    ['a longer boundary', MULTIPART, `${part('a', 'x\r\n--B-12\r\n\r\n')}--B-1--`],
    ['a half last boundary', MULTIPART, `${part('a', 'x')}--B-1-\r\n`],
    ['something before the first boundary', MULTIPART, `preamble\r\n${part('a', P)}--B-1--`],
    ['something behind the last boundary', MULTIPART, `${part('a', P)}--B-1--\r\nepilogue`],
    ['a boundary in a head', MULTIPART, '--B-1\r\nx: --B-1\r\n\r\n\r\n--B-1--'],
  ])('unreadable: %s', (_, contentType, body) => {
    for (const chunks of everySplit(body).slice(0, 200)) {
      const sent = send([key('body:a', { value: 'real_0123456789abcdefg' })], { contentType, chunks });
      expect(sent).toMatchObject({ reason: 'unreadable-body', secret: 'KEY', remedy: expect.stringMatching(/^Secret `KEY` is pinned to `body:a`, but the body [^`]*: send a body that is what its Content-Type says\.$/) });
      expect(Buffer.byteLength(sent!.body)).toBeLessThan(Buffer.byteLength(body));
    }
  });

  it('keeps the last byte back until the end is known to be right', () => {
    const substitution = compileSecrets([key('body:a')]).openBodySubstitution({ destination: { scheme: 'https', host: 'api.example.com', port: 443 }, method: 'POST', contentType: JSON_TYPE })!;
    expect(substitution.push(Buffer.from('{"b":1}'))).toEqual({ ok: true, bytes: Buffer.from('{"b":1') });
    expect(substitution.push(Buffer.from('\n'))).toEqual({ ok: true, bytes: Buffer.from('}') });
    expect(substitution.end()).toEqual({ ok: true, bytes: Buffer.from('\n') });
  });

  it.each([[8192, undefined], [8193, 'unreadable-body']])('a part with %i bytes of headers: %s, wherever the end of the headers is cut', (bytes, reason) => {
    const head = 'content-disposition: form-data; name="a"\r\nx: ';
    const body = Buffer.from(`${part('a', P, head.padEnd(bytes, 'x'))}--B-1--`);
    for (let at = bytes; at < bytes + 20; at += 1) {
      const sent = send([key('body:a')], { contentType: MULTIPART, chunks: [body.subarray(0, at), body.subarray(at)] });
      expect(sent!.reason).toBe(reason);
      if (reason === undefined) expect(sent!.body).toBe(body.toString().replace(P, VALUE));
    }
  });

  it('names the type that programs give by default, where JSON came as a form', () => {
    const remedy = 'Secret `KEY` is pinned to `body:auth.token`, but the body came as `application/x-www-form-urlencoded`, and the placeholder is in no such field of a form: send `content-type: application/json` if the body is JSON, or else put it in a field that is pinned.';
    const body = `{"auth":{"token":"${P}"}}`;
    expect(send([key('body:auth.token')], { contentType: FORM, chunks: [Buffer.from(body)] })).toMatchObject({ reason: 'placeholder-wrong-place', remedy });
    expect(send([key('body:auth.token')], { contentType: JSON_TYPE, chunks: [Buffer.from(body)] })).toMatchObject({ body: body.replace(P, JSON.stringify(VALUE).slice(1, -1)) });
    expect(send([key('body')], { contentType: FORM, chunks: [Buffer.from(Buffer.from(P).toString('hex'))] })!.remedy).not.toContain('came as');
  });

  it('says which configuration would allow it', () => {
    const sent = send([key('body:a,query:k')], { contentType: JSON_TYPE, chunks: [Buffer.from(`{"b":"${P}"}`)] });
    expect(sent!.remedy).toContain("or pin it to this place: write `KEY@api.example.com;in=body:a,query:k,body:FIELD` in secrets (`--secret '…'` on the command line), where FIELD is the path of a string in JSON");
    expect(send([key('body:a')], { contentType: JSON_TYPE, chunks: [Buffer.from(`{"a":"${P}${P}"}`)] })!.remedy).toContain('or allow it: write `KEY@api.example.com;in=body:a;max=2` in secrets');
    expect(send([key('body')], { contentType: null, chunks: [Buffer.from(Buffer.from(P).toString('hex'))] })!.remedy).not.toContain('--secret');
  });
});

describe('is only searched', () => {
  test.each<[string, string, Parameters<typeof send>[1]]>([
    ['where the secret is pinned elsewhere', 'query:key', { contentType: JSON_TYPE, chunks: [] }],
    ['on another host', 'body', { contentType: null, chunks: [], host: 'other.example.com' }],
    ['where the type has no fields', 'body:a', { contentType: 'text/plain', chunks: [] }],
    ['where a row of messages has the type application/connect+json; charset=utf-8', 'body:a', { contentType: 'application/connect+json; charset=utf-8', chunks: [] }],
    ['where a row of messages has the type application/grpc+json', 'body:a', { contentType: 'application/grpc+json', chunks: [] }],
    ['where there is no type', 'body:a', { contentType: null, chunks: [] }],
    ['where there are two types', 'body:a', { contentType: 'application/json, text/plain', chunks: [] }],
    ['where the type cannot be read', 'body:a', { contentType: 'json', chunks: [] }],
  ])('%s', (_, places, body) => {
    expect(send([key(places)], body)).toBeNull();
  });
});

describe('keeps the length', () => {
  const like = (value: string, places: string): Secret => key(places, { value });
  test.each<[what: string, Secret, string, boolean]>([
    ['a value as long as its placeholder', like('real_0123456789abcdefg', 'body:a'), JSON_TYPE, true],
    ['one that is longer when it is escaped', like('real/"123456789abcdefg', 'body:a'), JSON_TYPE, false],
    ['one that is longer when it is percent-encoded', like('real/0123456789abcdefg', 'body:a'), FORM, false],
    ['the same, as it is', like('real/0123456789abcdefg', 'body:a'), MULTIPART, true],
    ['a longer one', like('real_0123456789abcdefgh', 'body'), 'text/plain', false],
    ['a placeholder that some programs escape', { ...like('real_0123456789abcdefg', 'body:a'), placeholder: 'DECOY/0123456789abcdef' }, JSON_TYPE, false],
  ])('%s', (_, secret, contentType, expected) => {
    const substitution = compileSecrets([secret]).openBodySubstitution({ destination: { scheme: 'https', host: 'api.example.com', port: 443 }, method: 'POST', contentType })!;
    expect(substitution.keepsLength).toBe(expected);
  });

  it('whatever is pinned to the fields that a body of its type does not have', () => {
    const sent = send([like('real_0123456789abcdefg', 'body'), { ...key('body:a'), placeholder: 'DECOY_of_the_other_one' }], { contentType: 'text/plain', chunks: [Buffer.from(`a ${P}`)] });
    expect(sent).toMatchObject({ body: 'a real_0123456789abcdefg', keepsLength: true });
  });

  it('and a field is not found in such a body, because of its type', () => {
    const field = { ...key('body:a'), name: 'FIELD', placeholder: 'DECOY_of_the_other_one' };
    expect(send([like('real_0123456789abcdefg', 'body'), field], { contentType: null, chunks: [Buffer.from('{"a":"DECOY_of_the_other_one"}')] })).toMatchObject({
      reason: 'placeholder-wrong-place', secret: 'FIELD', remedy: expect.stringContaining('send `content-type: application/json` with JSON'),
    });
  });

  it('refuses what would change it', () => {
    const body = Buffer.from(`{"a":"${P.replace('D', String.raw`\u0044`)}"}`);
    expect(send([like('real_0123456789abcdefg', 'body:a')], { contentType: JSON_TYPE, chunks: [body] })).toMatchObject({ reason: 'placeholder-wrong-place', place: 'body, escaped' });
  });
});

test('TRACE carries nothing', () => {
  expect(send([key('body')], { contentType: null, chunks: [Buffer.from(P)], method: 'TRACE' })).toMatchObject({ reason: 'method-carries-no-secret' });
});
