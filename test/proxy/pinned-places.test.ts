import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { ask, openBench } from './open-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const long = 'p@ss "word" with spaces/and=more&é';
const mint = (name: string, real: string, places: string) =>
  mintSecrets([{ name, hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: real, pins: { places: parsePlaces(places).places, max: 1 } }])[0]!;
const alike = mint('ALIKE', value, 'body:auth.token,query:key,path');
const other = mint('OTHER', long, 'body:auth.password,header:x-password');
const raw = mint('RAW', 'raw-value-0123456789abcdefghij', 'body');

type Seen = { url: string | undefined; headers: http.IncomingHttpHeaders; body: Buffer };

/** An upstream that keeps every request it took for whole, and the bytes of all. */
async function openRecording(secrets = [alike, other]) {
  const whole: Seen[] = [];
  const received: Buffer[] = [];
  let isBroken: () => void = () => undefined;
  const broken = new Promise<void>((resolve) => { isBroken = resolve; });
  const bench = await openBench({
    secrets,
    upstream: async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) {
          chunks.push(chunk as Buffer);
          received.push(chunk as Buffer);
        }
      } catch {
        return isBroken();
      }
      whole.push({ url: request.url, headers: request.headers, body: Buffer.concat(chunks) });
      response.end('ok');
    },
  });
  return { ...bench, whole, broken, received: () => Buffer.concat(received).toString('latin1'), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

const jsonHeaders = (body: string | Buffer) => ({ host: 'api.test', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });

test('a query and a path carry the real value; the log has the name in its place', async () => {
  await using bench = await openRecording();
  const answer = await ask(bench.agentTo('api.test'), { path: `/v1/${alike.placeholder}/x?a=1&key=${alike.placeholder}`, headers: { host: 'api.test', 'x-password': 'no' } });
  expect(answer.status).toBe(200);
  expect(bench.whole[0]!.url).toBe(`/v1/${value}/x?a=1&key=${value}`);
  const [entry] = await bench.entriesOf(1);
  expect(entry).toMatchObject({ path: '/v1/[ALIKE]/x', secrets: [{ name: 'ALIKE', substitutions: 2 }] });
});

test('a rule judges the path before the value is in it', async () => {
  await using bench = await openBench({ secrets: [alike], allow: ['api.test/v1/*/x'], upstream: (_, response) => void response.end('ok') });
  const agent = bench.agentTo('api.test');
  expect((await ask(agent, { path: `/v1/${alike.placeholder}/x`, headers: { host: 'api.test' } })).status).toBe(200);
  expect((await ask(agent, { path: `/v2/${alike.placeholder}/x`, headers: { host: 'api.test' } })).headers['x-decoy-blocked']).toBe('path-not-allowed');
});

describe('a JSON body', () => {
  test.each([[undefined], ['text/plain']])('with the Content-Type %s is refused, and told the one to send', async (contentType) => {
    await using bench = await openRecording([other]);
    const body = JSON.stringify({ auth: { password: other.placeholder } });
    const headers = { host: 'api.test', 'content-length': Buffer.byteLength(body), ...(contentType === undefined ? {} : { 'content-type': contentType }) };
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers, body });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([403, expect.objectContaining({
      reason: 'placeholder-wrong-place', secret: 'OTHER', remedy: expect.stringMatching(/^Secret `OTHER` is pinned to `body:auth.password`, but .*: send `content-type: application\/json` with JSON, or /),
    })]);
    expect(bench.received()).not.toContain(other.placeholder);
  });

  test('keeps its length where the value has that of the placeholder', async () => {
    await using bench = await openRecording([alike]);
    const body = JSON.stringify({ auth: { token: alike.placeholder } });
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { ...jsonHeaders(body), 'content-md5': 'x', digest: 'y' }, body });
    expect(answer.status).toBe(200);
    expect(bench.whole[0]).toMatchObject({ headers: { 'content-length': String(body.length) } });
    for (const name of ['content-md5', 'digest', 'transfer-encoding']) expect(bench.whole[0]!.headers[name]).toBeUndefined();
    expect(JSON.parse(bench.whole[0]!.body.toString())).toEqual({ auth: { token: value } });
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'allowed', requestBytes: body.length, secrets: [{ name: 'ALIKE', substitutions: 1 }] });
  });

  test('goes in chunks where the length changes', async () => {
    await using bench = await openRecording();
    const data = { auth: { token: alike.placeholder, password: `x${other.placeholder}` }, filler: 'x'.repeat(300_000) };
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: jsonHeaders(JSON.stringify(data)), body: JSON.stringify(data) });
    expect(answer.status).toBe(200);
    expect(bench.whole[0]!.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(bench.whole[0]!.headers['content-length']).toBeUndefined();
    expect(JSON.parse(bench.whole[0]!.body.toString())).toEqual({ auth: { token: value, password: `x${long}` }, filler: data.filler });
  });

  test.each([
    ['gzip', zlib.gzipSync, zlib.gunzipSync], ['br', zlib.brotliCompressSync, zlib.brotliDecompressSync], ['deflate', zlib.deflateSync, zlib.inflateSync],
    ['deflate', zlib.deflateRawSync, zlib.inflateRawSync],
  ] as const)('is decoded and coded again: %s', async (coding, encode, decode) => {
    await using bench = await openRecording();
    const data = { filler: 'é'.repeat(200_000), auth: { password: other.placeholder } };
    const body = encode(JSON.stringify(data));
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { ...jsonHeaders(body), 'content-encoding': coding }, body });
    expect(answer.status).toBe(200);
    expect(bench.whole[0]!.headers).toMatchObject({ 'content-encoding': coding, 'transfer-encoding': 'chunked' });
    expect(JSON.parse(decode(bench.whole[0]!.body).toString())).toEqual({ ...data, auth: { password: long } });
  });

  test.each(['text/plain', 'application/json'])('an empty one in chunks passes: %s', async (type) => {
    await using bench = await openRecording();
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-type': type, 'transfer-encoding': 'chunked' } });
    expect([answer.status, bench.whole[0]!.body.length]).toEqual([200, 0]);
  });
});

test('a form, and a multipart form', async () => {
  await using bench = await openRecording();
  const agent = bench.agentTo('api.test');
  const form = new URLSearchParams({ a: '1', 'auth.password': other.placeholder }).toString();
  await ask(agent, { method: 'POST', headers: { host: 'api.test', 'content-type': 'application/x-www-form-urlencoded' }, body: form });
  expect([...new URLSearchParams(bench.whole[0]!.body.toString())]).toEqual([['a', '1'], ['auth.password', long]]);

  const data = new FormData();
  data.set('note', 'x');
  data.set('auth.password', other.placeholder);
  data.set('file', new Blob([Buffer.alloc(100_000, 7)]), 'f.bin');
  const encoded = new Response(data);
  const type = encoded.headers.get('content-type')!;
  const answer = await ask(agent, { method: 'POST', headers: { host: 'api.test', 'content-type': type }, body: Buffer.from(await encoded.arrayBuffer()) });
  expect(answer.status).toBe(200);
  const arrived = await new Response(bench.whole[1]!.body, { headers: { 'content-type': type } }).formData();
  expect([arrived.get('note'), arrived.get('auth.password')]).toEqual(['x', long]);
  expect((arrived.get('file') as File).size).toBe(100_000);
});

test('anywhere in a body', async () => {
  await using bench = await openRecording([raw]);
  const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test' }, body: `<token>${raw.placeholder}</token>` });
  expect([answer.status, bench.whole[0]!.body.toString()]).toEqual([200, `<token>${raw.value}</token>`]);
});

describe('is blocked, and the upstream never has the whole of it', () => {
  const token = JSON.stringify({ auth: { token: alike.placeholder } });
  const gzip = zlib.gzipSync(token);
  const disposition = 'content-disposition: form-data; name="auth.token"';
  /** Within the pinned part, what a reader with another boundary takes for a part of its own. */
  const twoBoundaries = (outer: string, other: string) =>
    `--${outer}\r\n${disposition}\r\n\r\nx\r\n--${other}\r\ncontent-disposition: form-data; name="note"\r\n\r\n${alike.placeholder}\r\n--${other}--\r\n\r\n--${outer}--\r\n`;
  const onePart = (head: string) => `--b\r\n${head}\r\n\r\n${alike.placeholder}\r\n--b--\r\n`;
  test.each<[string, string | Buffer, http.OutgoingHttpHeaders, string]>([
    ['JSON that ends too early, its length kept', token.slice(0, -1), {}, 'unreadable-body'],
    ['JSON with something behind it', `${token}x`, {}, 'unreadable-body'],
    ['another key', JSON.stringify({ auth: alike.placeholder }), {}, 'placeholder-wrong-place'],
    ['the value twice', JSON.stringify({ auth: { token: alike.placeholder.repeat(2) } }), {}, 'secret-repeated'],
    ['the real value in its place', JSON.stringify({ auth: { token: value } }), {}, 'real-secret-leaving'],
    ['a type without fields', token, { 'content-type': 'text/plain' }, 'placeholder-wrong-place'],
    ['a multipart form without its end', `--b\r\ncontent-disposition: form-data; name="auth.token"\r\n\r\n${alike.placeholder}\r\n--b`, { 'content-type': 'multipart/form-data; boundary=b' }, 'unreadable-body'],
    // What a server is known to read in a way of its own: in each of these it would find the real value in another field.
    ...[
      ['a,c', 'a', 'boundary=a,c', 'a comma, at which PHP, Rack and Werkzeug end it'], ['a,c', 'a', 'boundary="a,c"', 'a comma in quotes, at which Rack ends it'],
      ['a/c', 'a', 'boundary=a/c', 'what is in no token, at which Werkzeug ends it'], ['a', 'c', 'charset=boundary=c; boundary=a', 'another before it, which PHP and formidable take'],
      ['a', 'c', 'boundary=a; charset="boundary=c"', 'another behind it, which Rack takes'], ['boundary=c', 'c', 'boundary="boundary=c"', 'another within it, which Rack takes'],
    ].map(([outer, other, parameters, what]): [string, string, http.OutgoingHttpHeaders, string] => (
      [`a multipart form whose boundary has ${what}`, twoBoundaries(outer!, other!), { 'content-type': `multipart/form-data; ${parameters}` }, 'unreadable-body'])),
    ['a multipart form with a space behind a boundary, which is none to formidable, multiparty and Rack',
      `--b\r\ncontent-disposition: form-data; name="note"\r\n\r\nx\r\n--b \r\n${disposition}\r\n\r\n${alike.placeholder}\r\n--b--\r\n`, { 'content-type': 'multipart/form-data; boundary=b' }, 'unreadable-body'],
    ...[
      ['a name within filename*, which formidable takes', 'content-disposition: form-data; filename*=x-name=note; name="auth.token"'],
      ['a name within a quoted filename*, which Rack takes', `${disposition}; filename*="x; name=note"`],
      ['a disposition within another header, which Rack takes', `x-note: content-disposition: form-data; name=note\r\n${disposition}`],
      ['a control character behind its name', `${disposition.replaceAll('"', '')}\v`],
    ].map(([what, head]): [string, string, http.OutgoingHttpHeaders, string] => (
      [`a part with ${what}`, onePart(head!), { 'content-type': 'multipart/form-data; boundary=b' }, 'placeholder-wrong-place'])),
    ['gzip that is cut short', gzip.subarray(0, -4), { 'content-encoding': 'gzip' }, 'unscannable-body'],
    ['gzip that is damaged', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(8)]), { 'content-encoding': 'gzip' }, 'unscannable-body'],
    ['gzip that is none', token, { 'content-encoding': 'gzip' }, 'unscannable-body'],
    ['gzip of what is no JSON', zlib.gzipSync(token.slice(1)), { 'content-encoding': 'gzip' }, 'unreadable-body'],
    ['gzip with the placeholder elsewhere', zlib.gzipSync(JSON.stringify([alike.placeholder])), { 'content-encoding': 'gzip' }, 'placeholder-wrong-place'],
  ])('%s', async (_, body, headers, reason) => {
    await using bench = await openRecording([alike]);
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { ...jsonHeaders(body), ...headers }, body });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, reason]);
    const [entry] = await bench.entriesOf(1);
    expect(entry).toMatchObject({ decision: 'blocked', reason });
    expect(bench.whole).toEqual([]);
    for (const text of [answer.body.toString(), JSON.stringify(entry), bench.received()]) expect(text).not.toContain(alike.placeholder);
    for (const text of [answer.body.toString(), JSON.stringify(entry)]) expect(text).not.toContain(value);
  });

  test.each(['a', '----WebKitFormBoundaryAbC', '"-a-b.c_d"', '"===============1=="', '"----=_Part_0_1.2"', '"a b"', "a'b+c"])('but not a multipart form whose boundary is %s', async (boundary) => {
    await using bench = await openRecording([alike]);
    const body = onePart(disposition).replaceAll('--b', `--${boundary.replaceAll('"', '')}`);
    expect((await ask(bench.agentTo('api.test'), { method: 'POST', headers: { ...jsonHeaders(body), 'content-type': `multipart/form-data; boundary=${boundary}` }, body })).status).toBe(200);
    expect(bench.whole[0]!.body.toString()).toContain(`\r\n\r\n${value}\r\n--`);
  });

  test('a long body whose end is wrong breaks off at the upstream', async () => {
    await using bench = await openRecording([alike]);
    const body = JSON.stringify({ auth: { token: alike.placeholder }, filler: 'x'.repeat(3 << 20) }).slice(0, -1);
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: jsonHeaders(body), body });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'unreadable-body']);
    await bench.broken;
    expect(bench.whole).toEqual([]);
  });

  test('and the connection can be used again where the body was short', async () => {
    await using bench = await openRecording([alike]);
    const agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
    for (const [body, status] of [['x', 403], [token, 200], ['[', 403], [token, 200]] as const) {
      expect((await ask(agent, { method: 'POST', headers: jsonHeaders(body), body })).status).toBe(status);
    }
  });
});

test('50 MB stream through: what the upstream does not take, the client cannot send', async () => {
  const size = 50 << 20;
  let received = 0;
  let started: (request: http.IncomingMessage) => void = () => undefined;
  const arrived = new Promise<http.IncomingMessage>((resolve) => { started = resolve; });
  await using bench = await openBench({
    secrets: [alike, other],
    upstream: (request, response) => {
      started(request);
      request.on('end', () => void response.end('ok'));
    },
  });
  const piece = Buffer.alloc(64 << 10, 'x');
  let written = 0;
  const source = Readable.from((function* () {
    yield Buffer.from(`{"auth":{"token":"${alike.placeholder}","password":"${other.placeholder}"},"filler":"`);
    for (; written < size; written += piece.length) yield piece;
    yield Buffer.from('"}');
  })());
  const request = http.request({ agent: bench.agentTo('api.test'), method: 'POST', headers: { host: 'api.test', 'content-type': 'application/json', 'transfer-encoding': 'chunked' } });
  const sent = pipeline(source, request);
  const upstream = await arrived;
  // Nobody reads it: what is under way fills the buffers of sockets and streams, and then stops.
  let before = -1;
  while (written !== before) {
    before = written;
    for (let turn = 0; turn < 2_000; turn += 1) await new Promise(setImmediate);
  }
  expect(written).toBeLessThan(size / 2);
  upstream.on('data', (chunk: Buffer) => { received += chunk.length; });
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  await sent;
  expect(response.statusCode).toBe(200);
  response.resume();
  expect(received).toBe(written + Buffer.byteLength(`{"auth":{"token":"${value}","password":${JSON.stringify(long)}},"filler":""}`));
});
