import { once } from 'node:events';
import http from 'node:http';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { encodeBody } from './encode-body.ts';
import { ask, openBench, type Answer, type SetUp } from './open-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const [secret] = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]) as [ReturnType<typeof mintSecrets>[number]];
const { placeholder } = secret;
const base = { secrets: [secret], names: ['api.test', 'other.test'], allow: ['other.test'] } satisfies SetUp;

type Seen = { method: string | undefined; url: string | undefined; headers: http.IncomingHttpHeaders; body: Buffer };

/** A bench whose upstream keeps what it received whole, and counts what it received at all. */
async function openRecording(respond: (request: Seen, response: http.ServerResponse) => void = (_, response) => void response.end('ok')) {
  const seen: Seen[] = [];
  const received: Buffer[] = [];
  const bench = await openBench({
    ...base,
    upstream: async (request, response) => {
      received.push(Buffer.from(`${request.method} ${request.url} ${request.rawHeaders.join(' ')}`));
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) {
          chunks.push(chunk as Buffer);
          received.push(chunk as Buffer);
        }
      } catch {
        return;
      }
      const whole = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks) };
      seen.push(whole);
      respond(whole, response);
    },
  });
  return { ...bench, seen, received: () => Buffer.concat(received).toString('latin1'), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

test('a placeholder in a credential header becomes the real value, on TLS, towards its host', async () => {
  await using bench = await openRecording();
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${placeholder}` } });
  expect(answer.status).toBe(200);
  expect(bench.seen[0]!.headers.authorization).toBe(`Bearer ${value}`);
  const [entry] = await bench.entriesOf(1);
  expect(entry).toMatchObject({ decision: 'allowed', rule: 'secret TOKEN', secrets: [{ name: 'TOKEN', substitutions: 1, scrubs: 0, refusals: 0 }] });
  expect(JSON.stringify(entry)).not.toContain(value);
});

describe('is blocked, and the upstream sees nothing of it', () => {
  const gzipped = zlib.gzipSync(`{"key":"${placeholder}"}`);
  const base64 = Buffer.from(`..${placeholder}`).toString('base64');
  test.each<[string, string, http.RequestOptions & { body?: string | Buffer }, string]>([
    ['a placeholder in the query', 'api.test', { path: `/?key=${placeholder}` }, 'placeholder-wrong-place'],
    ['a placeholder in the path', 'api.test', { path: `/${placeholder}/x` }, 'placeholder-wrong-place'],
    ['a placeholder in another header', 'api.test', { headers: { 'x-note': placeholder } }, 'placeholder-wrong-place'],
    ['a placeholder in the body', 'api.test', { method: 'POST', body: `key=${placeholder}` }, 'placeholder-wrong-place'],
    ['a placeholder in the body, base64', 'api.test', { method: 'POST', body: base64 }, 'placeholder-wrong-place'],
    ['a placeholder in a gzip body', 'api.test', { method: 'POST', body: gzipped, headers: { 'content-encoding': 'gzip' } }, 'placeholder-wrong-place'],
    ['a placeholder in a deflate body', 'api.test', { method: 'POST', body: zlib.deflateSync(placeholder), headers: { 'content-encoding': 'deflate' } }, 'placeholder-wrong-place'],
    ['a placeholder in a raw deflate body', 'api.test', { method: 'POST', body: zlib.deflateRawSync(placeholder), headers: { 'content-encoding': 'deflate' } }, 'placeholder-wrong-place'],
    ['a placeholder in a br body', 'api.test', { method: 'POST', body: zlib.brotliCompressSync(placeholder), headers: { 'content-encoding': 'br' } }, 'placeholder-wrong-place'],
    ['bytes behind the end of a gzip body', 'api.test', { method: 'POST', body: Buffer.concat([zlib.gzipSync('x'), Buffer.from(`\0${placeholder}`)]), headers: { 'content-encoding': 'gzip' } }, 'unscannable-body'],
    ['a placeholder in the second member of a gzip body', 'api.test', { method: 'POST', body: Buffer.concat([zlib.gzipSync('x'), zlib.gzipSync(placeholder)]), headers: { 'content-encoding': 'gzip' } }, 'placeholder-wrong-place'],
    ['a placeholder in a zstd body', 'api.test', { method: 'POST', body: encodeBody(Buffer.from(placeholder), 'zstd'), headers: { 'content-encoding': 'zstd' } }, 'placeholder-wrong-place'],
    ['a placeholder in a body of two codings', 'api.test', { method: 'POST', body: encodeBody(Buffer.from(placeholder), 'gzip,br'), headers: { 'content-encoding': 'gzip, br' } }, 'placeholder-wrong-place'],
    ['a zstd body with a window above 8 MiB', 'api.test', { method: 'POST', body: Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3, 9, 0, 0, 120]), headers: { 'content-encoding': 'zstd' } }, 'unscannable-body'],
    ['a placeholder in a plain body that says gzip', 'other.test', { method: 'POST', body: placeholder, headers: { 'content-encoding': 'gzip' } }, 'unscannable-body'],
    ['a gzip body that is cut short', 'api.test', { method: 'POST', body: zlib.gzipSync('harmless').subarray(0, -9), headers: { 'content-encoding': 'gzip' } }, 'unscannable-body'],
    ['an unknown coding', 'other.test', { method: 'POST', body: 'x', headers: { 'content-encoding': 'exi' } }, 'unscannable-body'],
    ['two codings of which one is missing', 'other.test', { method: 'POST', body: zlib.gzipSync('x'), headers: { 'content-encoding': 'gzip, gzip' } }, 'unscannable-body'],
    ['four codings', 'other.test', { method: 'POST', body: encodeBody(Buffer.from('x'), 'gzip,gzip,gzip,gzip'), headers: { 'content-encoding': 'gzip, gzip, gzip, gzip' } }, 'unscannable-body'],
    ['a placeholder for another host', 'other.test', { headers: { authorization: `Bearer ${placeholder}` } }, 'placeholder-wrong-host'],
    ['a placeholder in the body for another host', 'other.test', { method: 'POST', body: placeholder }, 'placeholder-wrong-host'],
    ['a real value', 'other.test', { method: 'POST', body: value }, 'real-secret-leaving'],
    ['a real value for its host', 'api.test', { headers: { authorization: `Bearer ${value}` } }, 'real-secret-leaving'],
    ['TRACE with a placeholder', 'api.test', { method: 'TRACE', headers: { authorization: `Bearer ${placeholder}` } }, 'method-carries-no-secret'],
  ])('%s', async (_, host, options, reason) => {
    await using bench = await openRecording();
    const headers = { host, ...(options.headers as http.OutgoingHttpHeaders), ...(options.body === undefined ? {} : { 'content-length': Buffer.byteLength(options.body) }) };
    const answer = await ask(bench.agentTo(host), { ...options, headers });
    expect(answer.status).toBe(403);
    const told = JSON.parse(answer.body.toString()) as { reason: string; secret?: string };
    expect(told.reason).toBe(reason);
    expect(answer.headers['x-decoy-blocked']).toBe(reason);
    expect(bench.seen).toHaveLength(0);
    const [entry] = await bench.entriesOf(1);
    expect(entry).toMatchObject({ decision: 'blocked', reason, status: 403 });
    if (reason !== 'unscannable-body') expect(entry!.secrets).toMatchObject([{ name: 'TOKEN', refusals: 1 }]);
    for (const text of [JSON.stringify(entry), answer.body.toString(), bench.received()]) {
      expect(text).not.toContain(placeholder);
      expect(text).not.toContain(value);
    }
  });

  test('a placeholder split over chunks, at every place', async () => {
    await using bench = await openRecording();
    const agent = bench.agentTo('other.test');
    for (let at = 1; at < placeholder.length; at += 5) {
      const request = http.request({ agent, method: 'POST', headers: { host: 'other.test', 'content-length': String(placeholder.length + (1 << 20)) } });
      request.on('error', () => undefined);
      request.write(placeholder.slice(0, at));
      await new Promise(setImmediate);
      request.write(placeholder.slice(at));
      const [response] = await once(request, 'response') as [http.IncomingMessage];
      expect(response.statusCode).toBe(403);
      request.destroy();
    }
    expect(bench.seen).toHaveLength(0);
    expect(bench.received()).not.toContain(placeholder);
  });

  test('a placeholder on plain HTTP', async () => {
    await using bench = await openBench({ ...base, allow: ['api.test:80'], upstream: () => { throw new Error('the upstream was asked'); } });
    const socket = bench.plain('api.test');
    socket.write(`GET / HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer ${placeholder}\r\n\r\n`);
    const [first] = await once(socket, 'data') as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1.1 403 [^]*placeholder-without-tls/);
    socket.destroy();
  });

  test('a body blocked while it is sent leaves the connection usable if it was short', async () => {
    await using bench = await openRecording();
    const agent = bench.agentTo('other.test', { keepAlive: true, maxSockets: 1 });
    const blocked = await ask(agent, { method: 'POST', headers: { host: 'other.test' }, body: placeholder });
    expect(blocked.status).toBe(403);
    expect((await ask(agent, { headers: { host: 'other.test' } })).status).toBe(200);
  });
});

test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, zstd', 'br, br, br'])('a request body in %s passes as it was sent', async (codings) => {
  await using bench = await openRecording();
  const body = encodeBody(Buffer.alloc(300_000, 'harmless '), codings);
  const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-encoding': codings }, body });
  expect(answer.status).toBe(200);
  expect(bench.seen[0]!.body.equals(body)).toBe(true);
});

describe('a real value in an answer of a bound host is scrubbed', () => {
  const whole = (answer: Answer) => `${JSON.stringify(answer.rawHeaders)}${JSON.stringify(answer.trailers)}${answer.body.toString('latin1')}`;
  const forms: [string, string][] = [
    ['raw', value], ['base64', Buffer.from(value).toString('base64')], ['hex', Buffer.from(value).toString('hex')], ['percent', encodeURIComponent(`${value}`)],
  ];
  const codings: [string, (text: string) => Buffer, http.OutgoingHttpHeaders][] = [
    ['plain', (text) => Buffer.from(text), {}],
    ['gzip', (text) => zlib.gzipSync(text), { 'content-encoding': 'gzip' }],
    ['deflate', (text) => zlib.deflateSync(text), { 'content-encoding': 'deflate' }],
    ['br', (text) => zlib.brotliCompressSync(text), { 'content-encoding': 'br' }],
    ['zstd', (text) => encodeBody(Buffer.from(text), 'zstd'), { 'content-encoding': 'zstd' }],
    ['gzip, br', (text) => encodeBody(Buffer.from(text), 'gzip,br'), { 'content-encoding': 'gzip, br' }],
  ];
  test.each(forms.flatMap(([form, text]) => codings.map(([coding, encode, headers]) => [form, coding, text, encode, headers] as const)))('%s in a %s body', async (_, __, text, encode, headers) => {
    const body = encode(`before ${text} after`);
    await using bench = await openRecording((_request, response) => {
      response.writeHead(200, { etag: '"e"', 'content-length': body.length, ...headers });
      response.write(body.subarray(0, 20));
      setTimeout(() => response.end(body.subarray(20)), 5);
    });
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', 'accept-encoding': 'gzip, zstd, br;q=0.5' } });
    expect(answer.body.toString()).toMatch(/^before .* after$/);
    expect(whole(answer)).not.toContain(text);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.headers.etag).toBe('W/"e"');
    expect((await bench.entriesOf(1))[0]!.secrets).toEqual([{ name: 'TOKEN', substitutions: 0, scrubs: 1, refusals: 0 }]);
  });

  test('in headers, the status message and trailers', async () => {
    await using bench = await openRecording((request, response) => {
      response.writeHead(200, `Hi ${value}`, { 'x-echo': String(request.headers.authorization), 'set-cookie': [`a=${value}`, 'b=2'], trailer: 'x-t' });
      response.write('x');
      response.addTrailers({ 'x-t': value });
      response.end();
    });
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', authorization: `Bearer ${placeholder}` } });
    expect(answer.headers['x-echo']).toBe(`Bearer ${placeholder}`);
    expect(answer.headers['set-cookie']).toEqual([`a=${placeholder}`, 'b=2']);
    expect(answer.trailers['x-t']).toBe(placeholder);
    expect((await bench.entriesOf(1))[0]!.secrets[0]!.scrubs).toBeGreaterThanOrEqual(3);
  });

  test('the upstream is not asked for a part, nor for a coding that cannot be undone', async () => {
    await using bench = await openRecording();
    const agent = bench.agentTo('api.test');
    await ask(agent, { headers: { host: 'api.test', range: 'bytes=1-', 'if-range': '"x"', 'a-im': 'vcdiff', 'accept-encoding': 'exi, gzip;q=0.5, *' } });
    await ask(agent, { headers: { host: 'api.test' } });
    expect(bench.seen[0]!.headers).toMatchObject({ 'accept-encoding': 'gzip;q=0.5' });
    expect(bench.seen[0]!.headers.range ?? bench.seen[0]!.headers['if-range'] ?? bench.seen[0]!.headers['a-im']).toBeUndefined();
    expect(bench.seen[1]!.headers['accept-encoding']).toBe('identity');
  });

  test.each<[string, number, http.OutgoingHttpHeaders]>([
    ['Partial Content', 206, { 'content-range': 'bytes 0-1/100' }],
    ['Partial Content that does not say which', 206, {}],
    ['parts', 206, { 'content-type': 'multipart/byteranges; boundary=b' }],
    ['a difference', 226, { im: 'range' }],
    ['a part that calls itself whole', 200, { 'content-range': 'bytes 0-1/100' }],
    ['the length of what has no such part', 416, { 'content-range': 'bytes */100' }],
  ])('%s nobody asked for is refused, to GET and HEAD', async (_, status, headers) => {
    await using bench = await openRecording((_request, response) => void response.writeHead(status, headers).end(value.slice(0, 7)));
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(bench.agentTo('api.test'), { method, headers: { host: 'api.test' } });
      expect([answer.status, answer.headers['x-decoy-blocked'], answer.headers['content-range']]).toEqual([502, 'unasked-part', undefined]);
      expect(whole(answer)).not.toContain(value.slice(0, 7));
    }
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'unasked-part', status: 502 });
  });

  test('an unknown coding is refused', async () => {
    await using bench = await openRecording((_, response) => void response.writeHead(200, { 'content-encoding': 'exi' }).end('x'));
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([502, 'unscannable-body']);
  });

  test('a coded body that is cut short breaks the client off', async () => {
    const body = zlib.gzipSync(Buffer.alloc(100_000, 'abc'));
    await using bench = await openRecording((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body.subarray(0, -20)));
    await expect(ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).rejects.toThrow();
  });

  test('no method is told the length of what was not scrubbed', async () => {
    const body = Buffer.from(`{"key":"${value}"}`);
    await using bench = await openRecording((request, response) => {
      response.writeHead(200, { 'content-length': body.length, 'content-md5': 'x', digest: 'x', 'repr-digest': 'x', 'accept-ranges': 'bytes' });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    const heads = [];
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(bench.agentTo('api.test'), { method, headers: { host: 'api.test' } });
      expect(answer.status).toBe(200);
      expect(answer.headers['content-length'] ?? String(answer.body.length)).toBe(String(answer.body.length));
      heads.push(Object.keys(answer.headers).filter((name) => !['transfer-encoding', 'content-length', 'date', 'connection', 'keep-alive'].includes(name)));
      if (method === 'HEAD') expect(answer.headers).not.toHaveProperty('content-length');
    }
    expect(heads).toEqual([[], []]);
  });

  test('of a body that is all there the length is told as it goes on', async () => {
    const slashed = mintSecrets([{ name: 'SLASHED', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'p/w+=d/'.repeat(5) }]);
    const sent = encodeURIComponent(slashed[0]!.value);
    await using bench = await openBench({ secrets: slashed, allow: [], upstream: (_, response) => void response.end(sent) });
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } });
    expect(answer.body.toString()).toBe(encodeURIComponent(slashed[0]!.placeholder));
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(answer.body.length).not.toBe(sent.length);
  });

  test('a large coded answer arrives whole', async () => {
    const text = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `line ${i}\n`).join(''));
    await using bench = await openRecording((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(zlib.gzipSync(text)));
    const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', 'accept-encoding': 'gzip' } });
    expect(answer.body.equals(text)).toBe(true);
  });

  test.each([['plain', null], ['gzip', zlib.createGzip]] as const)('events of a %s stream arrive one by one', async (_, createGzip) => {
    let next: () => void = () => undefined;
    await using bench = await openRecording((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...(createGzip === null ? {} : { 'content-encoding': 'gzip' }) });
      const gzip = createGzip?.() ?? null;
      gzip?.pipe(response);
      let count = 0;
      next = () => {
        (gzip ?? response).write(`data: ${++count}\n\n`);
        gzip?.flush();
      };
      next();
    });
    const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test', 'accept-encoding': 'gzip' } }).end();
    const [response] = await once(request, 'response') as [http.IncomingMessage];
    for (let i = 1; i <= 3; i++) {
      const [chunk] = await once(response, 'data');
      expect(String(chunk)).toBe(`data: ${i}\n\n`);
      next();
    }
    request.on('error', () => undefined).destroy();
  });
});

test('an answer of a host without a bound secret passes as it is, coded or not', async () => {
  const body = zlib.gzipSync(value);
  await using bench = await openRecording((_, response) => void response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body));
  const answer = await ask(bench.agentTo('other.test'), { headers: { host: 'other.test', range: 'bytes=0-' } });
  expect(answer.body.equals(body)).toBe(true);
  expect(bench.seen[0]!.headers.range).toBe('bytes=0-');
});
