import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type http from 'node:http';
import { describe, expect, test } from 'vitest';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { compileSecrets } from '../../src/secrets/compile-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { ask, askHttp2, openBench, type SetUp } from './open-bench.ts';
import { isValidAws, signAws, type AwsRequest } from './sign-with-aws.ts';

const mint = (name: string, value: string, places?: string): Secret =>
  mintSecrets([{ name, hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value, ...(places === undefined ? {} : { pins: { places: parsePlaces(places).places, max: 1 } }) }])[0]!;
const awsKey = mint('AWS_SECRET_ACCESS_KEY', 'realSecretKey/realSecretKey+realSecretKe', 'aws-sigv4');
const awsId = mint('AWS_ACCESS_KEY_ID', 'AKIAREALREALREALREAL');
const awsToken = mint('AWS_SESSION_TOKEN', 'realSessionTokenRealSessionTokenRealSessionTokenRealSessionToken');
const jwtKey = mint('JWT_KEY', 'real-jwt-key-0123456789abcdefghijkl', 'jwt');
const hexKey = mint('HEX_KEY', '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'jwt,hmac-sha256:X-Hub-Signature-256');
const all = [awsKey, awsId, awsToken, jwtKey, hexKey];

type Seen = AwsRequest & { body: Buffer };

async function openRecording({ secrets = all, ...setUp }: Omit<SetUp, 'upstream'> = {}, answer: (seen: Seen, response: http.ServerResponse) => void = (_, response) => void response.end('ok')) {
  const seen: Seen[] = [];
  const bench = await openBench({
    ...setUp,
    secrets,
    upstream: async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method, url, headers } = request;
      seen.push({ method: method!, url: url!, headers: headers as Record<string, string>, body: Buffer.concat(chunks) });
      answer(seen.at(-1)!, response);
    },
  });
  return { ...bench, seen, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

type Recording = Awaited<ReturnType<typeof openRecording>>;

async function send(bench: Recording, { method = 'GET', url = '/', headers = {}, body }: Partial<AwsRequest>, sign: (request: AwsRequest) => Promise<Record<string, string>>) {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const signed = await sign({ method, url, headers: { host: 'api.test', ...headers }, ...(body === undefined ? {} : { body }) });
  return ask(bench.agentTo('api.test'), { method, path: url, headers: { ...length, ...signed }, ...(body === undefined ? {} : { body }) });
}

const withPlaceholders = (service?: string) => (request: AwsRequest) => signAws(request, { key: awsKey.placeholder, id: awsId.placeholder, ...(service === undefined ? {} : { service }) });

describe('AWS Signature Version 4', () => {
  test.each<[string, Partial<AwsRequest>, string]>([
    ['an object of S3', { url: '/bucket/a/b.txt' }, 's3'],
    ['a name with everything', { url: `/bucket/${encodeURIComponent('a b+c(d)\'e!é/ü=&')}` }, 's3'],
    ['a path that another service encodes twice', { url: '/model/eu.anthropic.claude%3A0/invoke' }, 'bedrock'],
    ['a query out of order, with an empty value and two of a key', { url: '/?prefix=b%20c&list-type=2&acl&k=2&k=1' }, 's3'],
    ['a body under its hash', { method: 'PUT', url: '/bucket/a', body: 'hello' }, 's3'],
    ['a body without its hash', { method: 'POST', body: 'Action=GetCallerIdentity&Version=2011-06-15', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'sts'],
    ['a large body without its hash', { method: 'POST', body: Buffer.alloc(3 << 20, 'abc') }, 'dynamodb'],
    ['a body that is not signed', { method: 'PUT', url: '/bucket/a', body: 'hello', headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }, 's3'],
    ['a header with many spaces', { headers: { 'x-amz-meta-a': '  a   b  ' } }, 's3'],
  ])('%s is signed again with the real key', async (_, request, service) => {
    await using bench = await openRecording();
    const answer = await send(bench, request, withPlaceholders(service));
    expect(answer.body.toString()).toBe('ok');
    const [seen] = bench.seen as [Seen];
    expect(seen.body.toString()).toBe((request.body ?? '').toString());
    expect(seen.headers['authorization']).toContain(`Credential=${awsId.value}/`);
    expect(await isValidAws({ ...seen, body: seen.body }, awsKey.value)).toBe(true);
    expect(await isValidAws({ ...seen, body: seen.body }, awsKey.placeholder)).toBe(false);
    const [entry] = await bench.entriesOf(1);
    expect(entry!.secrets).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'AWS_SECRET_ACCESS_KEY', substitutions: 1 }), expect.objectContaining({ name: 'AWS_ACCESS_KEY_ID', substitutions: 1 })]));
  });

  test('a session\'s token is swapped before it is signed', async () => {
    await using bench = await openRecording();
    await send(bench, { headers: { 'x-amz-security-token': awsToken.placeholder } }, withPlaceholders());
    expect(bench.seen[0]!.headers['x-amz-security-token']).toBe(awsToken.value);
    expect(await isValidAws(bench.seen[0]!, awsKey.value)).toBe(true);
  });

  test('what the proxy leaves out or changes is signed as it is sent', async () => {
    await using bench = await openRecording();
    await send(bench, { headers: { range: 'bytes=0-3', 'accept-encoding': 'compress, gzip' } }, withPlaceholders());
    expect(bench.seen[0]!.headers['range']).toBeUndefined();
    expect(bench.seen[0]!.headers['accept-encoding']).toBe('gzip');
    expect(await isValidAws(bench.seen[0]!, awsKey.value)).toBe(true);
  });

  test('over HTTP/2 the authority is signed', async () => {
    await using bench = await openRecording();
    const { host, ...headers } = await withPlaceholders('sts')({ method: 'POST', url: '/', headers: { host: 'api.test' }, body: 'a=b' });
    const answer = await askHttp2(bench.http2('api.test'), { ':method': 'POST', ...headers }, 'a=b');
    expect([host, answer.status]).toEqual(['api.test', 200]);
    expect(await isValidAws(bench.seen[0]!, awsKey.value)).toBe(true);
  });

  test('a key of the sandbox\'s own is left alone', async () => {
    await using bench = await openRecording();
    await send(bench, { method: 'POST', body: 'a=b' }, (request) => signAws(request, { key: 'held', id: 'AKIDHELD', service: 'sts' }));
    expect(await isValidAws(bench.seen[0]!, 'held')).toBe(true);
  });

  test.each<['strip' | 'block', number, string | undefined]>([['strip', 200, undefined], ['block', 403, 'foreign-credential']])('foreign-credentials: %s goes for it', async (foreignCredentials, status, reason) => {
    await using bench = await openRecording({ options: { secrets: compileSecrets(all, { foreignCredentials }) } });
    const own = await send(bench, { method: 'POST', body: 'a=b' }, (request) => signAws(request, { key: awsKey.placeholder, id: 'AKIDPLAIN', service: 'sts' }));
    expect([own.status, await isValidAws(bench.seen[0]!, awsKey.value)]).toEqual([200, true]);
    const foreign = await send(bench, { method: 'POST', body: 'a=b' }, (request) => signAws(request, { key: 'held', id: 'AKIDHELD', service: 'sts' }));
    expect([foreign.status, foreign.headers['x-decoy-blocked']]).toEqual([status, reason]);
    expect(bench.seen.slice(1).map(({ headers }) => headers['authorization'])).toEqual(status === 200 ? [undefined] : []);
  });

  test.each<[string, (request: AwsRequest) => Promise<Record<string, string>>, string]>([
    ['of another request', async (request) => ({ ...await withPlaceholders()(request), 'x-amz-date': '20200101T000000Z' }), 'It is not the one that the placeholder makes over this request'],
    ['without the host', async (request) => {
      const headers = await withPlaceholders()(request);
      return { ...headers, authorization: headers['authorization']!.replace('SignedHeaders=host;', 'SignedHeaders=') };
    }, 'is swapped only'],
    ['of each chunk', (request) => withPlaceholders()({ ...request, headers: { ...request.headers, 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } }), 'Each chunk of this body has a signature of its own'],
  ])('one %s is refused, or never made', async (what, sign, remedy) => {
    await using bench = await openRecording();
    const answer = await send(bench, { headers: { 'x-amz-meta-a': 'b' } }, async (request) => {
      const headers = await sign(request);
      return what === 'of another request' ? { ...headers, authorization: headers['authorization']!.replace(/\/\d{8}\//, '/20200101/') } : headers;
    });
    if (what === 'without the host') return void expect(await isValidAws(bench.seen[0]!, awsKey.value)).toBe(false);
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([403, expect.objectContaining({ reason: 'signature-not-swapped', secret: 'AWS_SECRET_ACCESS_KEY', place: 'header authorization', remedy: expect.stringContaining(remedy) })]);
    expect(bench.seen).toEqual([]);
  });

  test('a body there is no memory for is refused, and the next one goes', async () => {
    await using bench = await openRecording({ options: { limits: { memoryBytes: 4 << 20 } } });
    const { host, ...headers } = await withPlaceholders('sts')({ method: 'POST', url: '/', headers: { host: 'api.test' }, body: Buffer.alloc(8 << 20) });
    const stream = bench.http2('api.test').request({ ':method': 'POST', ':authority': host!, ...headers });
    stream.on('error', () => undefined).end(Buffer.alloc(8 << 20));
    const [answer] = await once(stream, 'response') as [http.IncomingHttpHeaders];
    expect([answer[':status' as never], answer['x-decoy-blocked']]).toEqual([503, 'capacity']);
    expect((await send(bench, { method: 'POST', body: 'a=b' }, withPlaceholders('sts'))).status).toBe(200);
  });

  test('a body with a placeholder in it is refused before anything is signed', async () => {
    await using bench = await openRecording();
    const answer = await send(bench, { method: 'POST', body: `a=${awsKey.placeholder}` }, withPlaceholders('sts'));
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'placeholder-wrong-place']);
    expect(bench.seen).toEqual([]);
  });

  test('beside a secret that is pinned to the body, one that covers it is refused', async () => {
    await using bench = await openRecording({ secrets: [...all, mint('FIELD', 'real-field-0123456789abcdef', 'body:field')] });
    const answer = await send(bench, { method: 'POST', body: 'field=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, withPlaceholders('sts'));
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'signature-not-swapped']);
  });

  test('the placeholder itself is refused in every header', async () => {
    await using bench = await openRecording();
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${awsKey.placeholder}` } });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([403, expect.objectContaining({
      reason: 'placeholder-wrong-place', remedy: expect.stringContaining('only signs (`aws-sigv4`) and is itself not sent: sign with its placeholder, or pin it to this place'),
    })]);
  });

  test('TRACE is never signed', async () => {
    await using bench = await openRecording({ secrets: [awsKey] });
    await send(bench, { method: 'TRACE' }, (request) => signAws(request, { key: awsKey.placeholder }));
    expect(await isValidAws(bench.seen[0]!, awsKey.value)).toBe(false);
  });

  test('plain HTTP is never signed', async () => {
    await using bench = await openRecording({ secrets: [awsKey] });
    const headers = await signAws({ method: 'GET', url: '/', headers: { host: 'api.test' } }, { key: awsKey.placeholder });
    await ask(bench.agentTo('api.test', { port: 80 }), { headers });
    expect(bench.seen.filter(({ headers: { authorization } }) => authorization !== undefined && authorization !== headers['authorization'])).toEqual([]);
  });
});

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwtOf = (key: string | Buffer, { alg = 'HS256', claims = { sub: 'me' } }: { alg?: string; claims?: unknown } = {}) => {
  const signed = `${base64url({ alg, typ: 'JWT' })}.${base64url(claims)}`;
  return `${signed}.${createHmac(alg.replace('HS', 'sha'), key).update(signed).digest('base64url')}`;
};

describe('JSON Web Tokens', () => {
  test.each(['HS256', 'HS384', 'HS512'])('%s is signed again', async (alg) => {
    await using bench = await openRecording();
    await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${jwtOf(jwtKey.placeholder, { alg })}` } });
    expect(bench.seen[0]!.headers['authorization']).toBe(`Bearer ${jwtOf(jwtKey.value, { alg })}`);
  });

  test('a key that programs take for hexadecimal is', async () => {
    await using bench = await openRecording();
    await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', 'x-api-key': jwtOf(Buffer.from(hexKey.placeholder, 'hex')) } });
    expect(bench.seen[0]!.headers['x-api-key']).toBe(jwtOf(Buffer.from(hexKey.value, 'hex')));
  });

  test.each([['another key', jwtOf('another')], ['none', 'Bearer a.b.c'], ['alg none', `${base64url({ alg: 'none' })}.${base64url({})}.`]])('%s stays as it is', async (_, value) => {
    await using bench = await openRecording();
    await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: value } });
    expect(bench.seen[0]!.headers['authorization']).toBe(value);
  });

  test('at a host the key is not bound to it stays as it is', async () => {
    await using bench = await openRecording({ names: ['api.test', 'other.test'] });
    const value = `Bearer ${jwtOf(jwtKey.placeholder)}`;
    await ask(bench.agentTo('other.test'), { headers: { host: 'other.test', authorization: value } });
    expect(bench.seen[0]!.headers['authorization']).toBe(value);
  });
});

describe('an HMAC of the body', () => {
  test.each<['hex' | 'base64' | 'base64url', string]>([['hex', 'sha256='], ['base64', ''], ['base64url', 'v1,']])('in %s is made again', async (encoding, prefix) => {
    await using bench = await openRecording();
    // Many: of four digests in base64 one has neither of the signs in which the two alphabets differ.
    for (let index = 0; index < 20; index += 1) {
      const body = Buffer.alloc(index === 0 ? 200_000 : 100, `event ${index}`);
      const sign = (key: string) => `${prefix}${createHmac('sha256', key).update(body).digest(encoding)}`;
      await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-length': body.length, 'x-hub-signature-256': sign(hexKey.placeholder) }, body });
      expect(bench.seen[index]!.headers['x-hub-signature-256']).toBe(sign(hexKey.value));
      expect(bench.seen[index]!.body.equals(body)).toBe(true);
    }
  });

  test('of another body stays as it is', async () => {
    await using bench = await openRecording();
    const value = createHmac('sha256', hexKey.placeholder).update('another').digest('hex');
    await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-length': 3, 'x-hub-signature-256': value }, body: 'one' });
    expect(bench.seen[0]!.headers['x-hub-signature-256']).toBe(value);
  });
});

const inForms = (text: string) => `${text} ${Buffer.from(text).toString('base64')} ${Buffer.from(text).toString('hex')}`;

test('an answer that repeats a new signature has the one that came in its place, in every form', async () => {
  await using bench = await openRecording({}, ({ headers }, response) => {
    const signature = headers['authorization']!.split('.').at(-1)!;
    response.setHeader('x-echo', headers['authorization']!);
    response.end(inForms(signature));
  });
  const sent = jwtOf(jwtKey.placeholder);
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: sent } });
  expect(bench.seen[0]!.headers['authorization']).toBe(jwtOf(jwtKey.value));
  expect(answer.headers['x-echo']).toBe(sent);
  // The last character of base64 with a padding holds bits of the last byte alone: it stays.
  const withoutLast = (text: string) => text.replace(/.==/, '');
  expect(withoutLast(answer.body.toString())).toBe(withoutLast(inForms(sent.split('.').at(-1)!)));
});
