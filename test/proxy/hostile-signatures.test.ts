import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { describe, expect, test } from 'vitest';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { compileSecrets, type CompiledSecrets } from '../../src/secrets/compile-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { ask, askHttp2, openBench, readAll, type Bench, type SetUp } from './open-bench.ts';

const mint = (name: string, value: string, places?: string): Secret =>
  mintSecrets([{ name, hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value, ...(places === undefined ? {} : { pins: { places: parsePlaces(places).places, max: 1 } }) }])[0]!;
const awsKey = mint('AWS_SECRET_ACCESS_KEY', 'realSecretKey/realSecretKey+realSecretKe', 'aws-sigv4');
const jwtKey = mint('JWT_KEY', 'real-jwt-key-0123456789abcdefghijkl', 'jwt');
const hmacKey = mint('HMAC_KEY', 'real-hmac-key-0123456789abcdefghijkl', 'hmac-sha256:authorization');
const apiKey = mint('API_KEY', 'real-api-key-0123456789abcdefghijkl');

type Seen = { method: string; url: string; rawHeaders: string[]; headers: http.IncomingHttpHeaders; body: Buffer };

async function openRecording(secrets: Secret[], setUp: SetUp = {}) {
  const seen: Seen[] = [];
  const bench = await openBench({
    ...setUp, secrets,
    upstream: async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method, url, rawHeaders, headers } = request;
      seen.push({ method: method!, url: url!, rawHeaders, headers, body: Buffer.concat(chunks) });
      response.end('ok');
    },
  });
  return { ...bench, seen, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

const TIME = '20260101T000000Z';
const authorization = (names: string, signature = '0'.repeat(64)) => `AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`;

/** By the letter of AWS's specification, for a path and a query that need no encoding. */
function awsSignature(key: string, { method, url, names, headers, body }: { method: string; url: string; names: string; headers: http.IncomingHttpHeaders; body: string | Buffer }): string {
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${headers[name] as string}\n`).join('');
  const canonical = Buffer.from([method, ...url.split('?', 2), ...(url.includes('?') ? [] : ['']), lines, names, sha256(body)].join('\n'), 'latin1');
  const signingKey = ['20260101', 'eu-central-1', 's3', 'aws4_request'].reduce<string | Buffer>((parent, part) => createHmac('sha256', parent).update(part).digest(), `AWS4${key}`);
  return createHmac('sha256', signingKey).update(`AWS4-HMAC-SHA256\n${TIME}\n20260101/eu-central-1/s3/aws4_request\n${sha256(canonical)}`).digest('hex');
}

const jwtOf = (key: string | Buffer) => {
  const signed = ['{"alg":"HS256"}', '{"sub":"me"}'].map((text) => Buffer.from(text).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
};

/** The upstream's word on such headers: the proxy let them through. */
const tooLong = 431;

/** How long the proxy is at it, which does nothing else meanwhile. */
async function millisecondsOf(bench: Bench, headers: http.OutgoingHttpHeaders): Promise<number> {
  const agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
  await ask(agent, { headers: { host: 'api.test' } });
  const start = performance.now();
  const answer = await ask(agent, { headers });
  expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([tooLong, undefined]);
  return performance.now() - start;
}

describe('a header that only looks like a signature', () => {
  test.each<[string, string]>([
    ['AWS, with spaces', `AWS4-HMAC-SHA256 a${' '.repeat(50_000)}b`],
    ['AWS, with commas', `AWS4-HMAC-SHA256 a${' ,'.repeat(25_000)}b`],
    ['HMAC', `${'a'.repeat(50_000)}!`],
    ['JWT', `${'a '.repeat(100)}${'a'.repeat(50_000)}.!`],
  ])('costs little to tell: %s', async (_, value) => {
    await using bench = await openRecording([awsKey, jwtKey, hmacKey]);
    expect(await millisecondsOf(bench, { host: 'api.test', 'x-amz-date': TIME, authorization: value })).toBeLessThan(1_000);
  });

  test('costs little to check with a long header and its name thousands of times', async () => {
    await using bench = await openRecording([awsKey]);
    expect(await millisecondsOf(bench, { host: 'api.test', 'x-amz-date': TIME, a: 'v'.repeat(32_000), authorization: authorization(`host${';a'.repeat(16_000)}`) })).toBeLessThan(1_000);
  });
});

describe('a key that is read as what it is not', () => {
  const prefixed = mint('PREFIXED', 'deadbeef-and-no-hexadecimal-at-all-behind', 'jwt');

  test.each<[string, () => Buffer]>([['nothing', () => Buffer.alloc(0)], ['the first hexadecimal digits', () => Buffer.from(prefixed.placeholder, 'hex')], ['all but a dot', () => Buffer.from(`${jwtKey.placeholder}.`, 'base64')]])('signs nothing: %s', async (_, key) => {
    const dotted = { ...jwtKey, value: `${jwtKey.value}.`, placeholder: `${jwtKey.placeholder}.` };
    await using bench = await openRecording([prefixed, dotted]);
    const token = jwtOf(key());
    await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${token}` } });
    expect(bench.seen[0]!.headers['authorization']).toBe(`Bearer ${token}`);
  });

  test('is refused where only its placeholder can be read so', async () => {
    const odd = mint('ODD', 'a key!?', 'jwt');
    const long = { ...odd, value: 'a key with spaces' };
    await using bench = await openRecording([long]);
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${jwtOf(Buffer.from(long.placeholder, 'base64'))}` } });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([403, expect.objectContaining({ reason: 'signature-not-swapped', remedy: expect.stringContaining('let it take the key as the text it is') })]);
    expect(bench.seen).toEqual([]);
  });
});

test('a header of two kinds is whose it proves to be', async () => {
  await using bench = await openRecording([], { options: { secrets: compileSecrets([hmacKey, jwtKey], { foreignCredentials: 'block' }) } });
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${jwtOf(jwtKey.placeholder)}` } });
  expect(answer.status).toBe(200);
  expect(bench.seen[0]!.headers['authorization']).toBe(`Bearer ${jwtOf(jwtKey.value)}`);
});

test('what was swapped before a signature in its header stays so', async () => {
  await using bench = await openRecording([hmacKey, apiKey]);
  const sign = (key: Secret['value'], id: string) => `HMAC ${id}:${createHmac('sha256', key).update('{}').digest('base64')}`;
  await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-length': 2, authorization: sign(hmacKey.placeholder, apiKey.placeholder) }, body: '{}' });
  expect(bench.seen[0]!.headers['authorization']).toBe(sign(hmacKey.value, apiKey.value));
});

test('a letter whose last byte Unicode calls a space is signed as it is', async () => {
  await using bench = await openRecording([awsKey]);
  const names = 'host;x-amz-date;x-amz-meta-a';
  const headers = { host: 'api.test', 'x-amz-date': TIME, 'x-amz-meta-a': Buffer.from('voilà').toString('latin1') };
  const signature = awsSignature(awsKey.placeholder, { method: 'GET', url: '/a?b=c', names, headers, body: '' });
  await ask(bench.agentTo('api.test'), { path: '/a?b=c', headers: { ...headers, authorization: authorization(names, signature) } });
  expect(bench.seen[0]!.headers['authorization']).toBe(authorization(names, awsSignature(awsKey.value, { method: 'GET', url: '/a?b=c', names, headers, body: '' })));
});

test('over HTTP/2, :authority counts as the host', async () => {
  await using bench = await openRecording([awsKey]);
  const names = ':authority;x-amz-date';
  const headers = { ':authority': 'api.test', 'x-amz-date': TIME };
  const signature = awsSignature(awsKey.placeholder, { method: 'GET', url: '/a', names, headers, body: '' });
  await askHttp2(bench.http2('api.test'), { ...headers, ':path': '/a', authorization: authorization(names, signature) });
  const { headers: sent } = bench.seen[0]!;
  expect(sent.authorization).toBe(authorization('host;x-amz-date', awsSignature(awsKey.value, { method: 'GET', url: '/a', names: 'host;x-amz-date', headers: sent, body: '' })));
});

test('a WebSocket\'s handshake is signed with the key it is sent with', async () => {
  await using bench = await openRecording([awsKey]);
  let seen: http.IncomingMessage | null = null;
  bench.servers.https.on('upgrade', (request: http.IncomingMessage, socket) => {
    seen = request;
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  const names = 'host;sec-websocket-key;x-amz-date';
  const headers = { host: 'api.test', 'x-amz-date': TIME, 'sec-websocket-key': Buffer.alloc(16, 'a').toString('base64') };
  const signature = awsSignature(awsKey.placeholder, { method: 'GET', url: '/a', names, headers, body: '' });
  const answer = await ask(bench.agentTo('api.test'), { path: '/a', headers: { ...headers, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', authorization: authorization(names, signature) } });
  expect(answer.status).toBe(403);
  const { headers: sent } = seen! as http.IncomingMessage;
  expect(sent['sec-websocket-key']).not.toBe(headers['sec-websocket-key']);
  expect(sent.authorization).toBe(authorization(names, awsSignature(awsKey.value, { method: 'GET', url: '/a', names, headers: sent, body: '' })));
});

describe('a body that is held until it is signed', () => {
  const hook = mint('HOOK', 'real-hook-key-0123456789abcdefghijkl', 'hmac-sha256:x-signature');
  const mac = (body: string | Buffer) => createHmac('sha256', hook.placeholder).update(body).digest('hex');

  test('and never ends tells of nothing that was sent, and gives its memory back', async () => {
    await using bench = await openRecording([hook, apiKey], { options: { limits: { memoryBytes: 4 << 20 } } });
    for (let count = 1; count <= 8; count += 1) {
      const socket = bench.tls('api.test');
      await once(socket, 'secureConnect');
      socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 2000000\r\nX-Api-Key: ${apiKey.placeholder}\r\nX-Signature: ${mac('')}\r\n\r\n`);
      await new Promise((written) => socket.write(Buffer.alloc(1 << 20), written));
      socket.destroy();
      const entries = await bench.entriesOf(count);
      expect(entries.at(-1)!.secrets).toEqual([]);
    }
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-length': 2, 'x-signature': mac('{}') }, body: '{}' });
    expect(answer.status).toBe(200);
  });

  test('in pieces of one byte counts as what it takes', async () => {
    await using bench = await openRecording([hook], { options: { limits: { memoryBytes: 1 << 20 } } });
    const socket = bench.tls('api.test');
    await once(socket, 'secureConnect');
    const answered = readAll(socket.on('error', () => undefined));
    socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nX-Signature: ${mac('x'.repeat(20_000))}\r\n\r\n`);
    // Each in a turn of its own: those of one turn are put together.
    for (let piece = 0; piece < 20_000 && !socket.readableEnded && socket.readableLength === 0; piece += 1) {
      socket.write('1\r\nx\r\n');
      await new Promise((resolve) => void setImmediate(resolve));
    }
    expect((await answered).toString()).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('in pieces of one byte that come at once takes little more than in one', async () => {
    await using bench = await openRecording([hook], { options: { limits: { memoryBytes: 1 << 20 } } });
    const socket = bench.tls('api.test');
    await once(socket, 'secureConnect');
    socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nX-Signature: ${mac('x'.repeat(20_000))}\r\n\r\n${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`);
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(bench.seen[0]!.headers['x-signature']).toBe(createHmac('sha256', hook.value).update('x'.repeat(20_000)).digest('hex'));
  });

  test('and is empty is signed and sent', async () => {
    await using bench = await openRecording([hook]);
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'transfer-encoding': 'chunked', 'x-signature': mac('') } });
    expect([answer.status, bench.seen[0]!.headers['x-signature']]).toEqual([200, createHmac('sha256', hook.value).digest('hex')]);
  });
});

test('there is room for the signatures that are looked for in an answer, or none is made', async () => {
  await using bench = await openRecording([jwtKey], { options: { limits: { memoryBytes: 256 << 10 } } });
  const agent = bench.agentTo('api.test');
  const signed = await ask(agent, { headers: { host: 'api.test', authorization: `Bearer ${jwtOf(jwtKey.placeholder)}` } });
  expect([signed.status, signed.headers['x-decoy-blocked']]).toEqual([503, 'capacity']);
  expect((await ask(agent, { headers: { host: 'api.test' } })).status).toBe(200);
});

test.each([true, false])('an error while it is signed refuses the request and no more (body held: %s)', async (coversBody) => {
  const compiled = compileSecrets([awsKey]);
  const substituteRequest: CompiledSecrets['substituteRequest'] = (request) => {
    const substitution = compiled.substituteRequest(request);
    return substitution.ok ? { ...substitution, signatures: { coversBody, sign: () => { throw new RangeError('Invalid string length'); } } } : substitution;
  };
  await using bench = await openRecording([awsKey], { options: { secrets: { ...compiled, substituteRequest } } });
  for (const _ of [1, 2]) {
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-length': 3 }, body: 'a=b' });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'signature-not-swapped']);
  }
  expect(bench.seen).toEqual([]);
});
