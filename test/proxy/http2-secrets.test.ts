import type http2 from 'node:http2';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { framed } from './frames.ts';
import { askHttp2, collectHttp2, openBench, type Http2Listener, type SetUp } from './open-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const [secret] = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]) as [ReturnType<typeof mintSecrets>[number]];
const { placeholder } = secret;
const base = { secrets: [secret], names: ['api.test', 'other.test'], allow: ['other.test'] } satisfies SetUp;

/** A bench whose upstream keeps all it received. */
async function openRecording(respond: Http2Listener = (stream) => { stream.respond({ ':status': 200 }); stream.end('ok'); }) {
  const received: string[] = [];
  const seen: http2.IncomingHttpHeaders[] = [];
  const bench = await openBench({
    ...base,
    http2Upstream: (stream, headers, flags, rawHeaders) => {
      seen.push(headers);
      received.push(rawHeaders.join(' '));
      stream.on('data', (chunk: Buffer) => void received.push(chunk.toString('latin1')));
      stream.on('trailers', (_headers: unknown, _flags: number, raw: string[]) => void received.push(raw.join(' ')));
      respond(stream, headers, flags, rawHeaders);
    },
  });
  return { ...bench, seen, received: () => received.join(''), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

test('a placeholder in a credential header becomes the real value, and goes back as the placeholder', async () => {
  await using bench = await openRecording((stream, headers) => {
    stream.respond({ ':status': 200, 'x-echo': headers.authorization, 'set-cookie': [`a=${value}`, 'b=2'], 'content-length': value.length, etag: '"e"' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-t': value }));
    stream.write(value.slice(0, 20));
    setImmediate(() => stream.end(value.slice(20)));
  });
  const answer = await askHttp2(bench.http2('api.test'), { authorization: `Bearer ${placeholder}` });
  expect(bench.seen[0]!.authorization).toBe(`Bearer ${value}`);
  expect(answer.body.toString()).toBe(placeholder);
  expect(answer.headers).toMatchObject({ 'x-echo': `Bearer ${placeholder}`, 'set-cookie': [`a=${placeholder}`, 'b=2'], etag: 'W/"e"' });
  expect(answer.headers['content-length']).toBeUndefined();
  expect(answer.trailers['x-t']).toBe(placeholder);
  const [entry] = await bench.entriesOf(1);
  expect(entry!.secrets).toMatchObject([{ name: 'TOKEN', substitutions: 1, scrubs: 4 }]);
});

test('a value that is not ASCII arrives as its UTF-8 bytes, and is scrubbed', async () => {
  const [accented] = mintSecrets([{ name: 'T', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'pässwört-für-alle' }]) as [ReturnType<typeof mintSecrets>[number]];
  await using bench = await openBench({
    secrets: [accented], allow: [],
    http2Upstream: (stream, headers) => {
      stream.respond({ ':status': 200, 'x-echo': headers['x-api-key'] });
      stream.end(Buffer.from(String(headers['x-api-key']), 'latin1'));
    },
  });
  const answer = await askHttp2(bench.http2('api.test'), { 'x-api-key': accented.placeholder });
  expect([answer.headers['x-echo'], answer.body.toString()]).toEqual([accented.placeholder, accented.placeholder]);
});

test('a coded answer is scrubbed', async () => {
  await using bench = await openRecording((stream, headers) => {
    stream.respond({ ':status': 200, 'content-encoding': String(headers['accept-encoding']) });
    stream.end(zlib.gzipSync(`before ${value} after`));
  });
  const answer = await askHttp2(bench.http2('api.test'), { 'accept-encoding': 'exi, gzip' });
  expect(answer.body.toString()).toBe(`before ${placeholder} after`);
});

describe('is blocked, and the upstream sees nothing of it', () => {
  test.each<[string, string, http2.OutgoingHttpHeaders, string | Buffer | undefined, string]>([
    ['a placeholder in the path', 'api.test', { ':path': `/${placeholder}` }, undefined, 'placeholder-wrong-place'],
    ['a placeholder in another header', 'api.test', { 'x-note': placeholder }, undefined, 'placeholder-wrong-place'],
    ['a placeholder in the body', 'api.test', { ':method': 'POST' }, `x=${placeholder}`, 'placeholder-wrong-place'],
    ['a placeholder in a gzip body', 'api.test', { ':method': 'POST', 'content-encoding': 'gzip' }, zlib.gzipSync(placeholder), 'placeholder-wrong-place'],
    ['a placeholder for another host', 'other.test', { authorization: `Bearer ${placeholder}` }, undefined, 'placeholder-wrong-host'],
    ['a real value', 'other.test', { ':method': 'POST' }, value, 'real-secret-leaving'],
    ['compressed gRPC messages', 'other.test', { ':method': 'POST', 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' }, 'x', 'unscannable-body'],
  ])('%s', async (_, host, headers, body, reason) => {
    await using bench = await openRecording();
    const answer = await askHttp2(bench.http2(host), headers, body);
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, reason]);
    for (const text of [bench.received(), answer.body.toString(), JSON.stringify(bench.entries)]) {
      expect(text).not.toContain(placeholder);
      expect(text).not.toContain(value);
    }
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'blocked', reason, status: 403 });
  });

  test('a placeholder split over frames, at every place', async () => {
    await using bench = await openRecording();
    const session = bench.http2('other.test');
    for (let at = 1; at < placeholder.length; at += 5) {
      const stream = session.request({ ':method': 'POST' });
      stream.write(placeholder.slice(0, at));
      await new Promise(setImmediate);
      stream.write(placeholder.slice(at));
      expect((await collectHttp2(stream)).status).toBe(403);
    }
    expect(bench.received()).not.toContain(placeholder);
  });

  test('and what came before it does not look like a whole body', async () => {
    let over: (isWhole: boolean) => void = () => {};
    const told = new Promise<boolean>((resolve) => { over = resolve; });
    let isWhole = false;
    await using bench = await openRecording((stream) => {
      stream.once('data', () => body.write(placeholder));
      stream.on('end', () => { isWhole = stream.rstCode === 0; });
      stream.on('close', () => over(isWhole));
    });
    const body = bench.http2('other.test').request({ ':method': 'POST' });
    body.write('harmless');
    expect((await collectHttp2(body)).status).toBe(403);
    expect(await told).toBe(false);
  });

  test('a placeholder in a trailer, whatever its name', async () => {
    await using bench = await openRecording();
    const session = bench.http2('api.test');
    for (const name of ['x-note', 'authorization']) {
      const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true } as object);
      stream.on('wantTrailers', () => stream.sendTrailers({ [name]: `Bearer ${placeholder}` }));
      stream.end('body');
      // The upstream may have answered before the trailers came: then the answer is broken off.
      const answer = await collectHttp2(stream).catch(({ rstCode }: { rstCode: number }) => ({ status: 403, rstCode }));
      expect(answer.status === 403 || answer.status === 200).toBe(true);
    }
    const entries = await bench.entriesOf(2);
    expect(bench.received()).not.toContain(placeholder);
    expect(bench.received()).not.toContain(value);
    expect(entries.length).toBe(2);
  });

  test('a placeholder in a trailer of a body the upstream waits for', async () => {
    await using bench = await openRecording((stream) => {
      stream.on('end', () => { if (!stream.destroyed && stream.rstCode === 0) { stream.respond({ ':status': 200 }); stream.end('whole'); } });
    });
    const stream = bench.http2('api.test').request({ ':method': 'POST' }, { waitForTrailers: true } as object);
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-note': placeholder }));
    stream.end('body');
    const answer = await collectHttp2(stream);
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'placeholder-wrong-place']);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ reason: 'placeholder-wrong-place', secrets: [{ name: 'TOKEN', refusals: 1 }] });
    expect(bench.received()).not.toContain(placeholder);
  });
});

describe('gRPC and Connect', () => {
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc+proto', te: 'trailers' };

  test.each(['grpc', 'connect'])('a bound host is asked for uncompressed messages, another one for what the client takes: %s', async (protocol) => {
    await using bench = await openRecording();
    const accepting = { ...grpc, 'content-type': `application/${protocol}+proto`, [`${protocol}-accept-encoding`]: 'identity,deflate,gzip' };
    await askHttp2(bench.http2('api.test'), accepting, framed('x'));
    await askHttp2(bench.http2('other.test'), accepting, framed('x'));
    expect(bench.seen.map((headers) => headers[`${protocol}-accept-encoding`])).toEqual(['identity', 'identity,deflate,gzip']);
  });

  test.each(['grpc-encoding', 'connect-content-encoding'])('one that compresses nevertheless is refused: %s', async (header) => {
    await using bench = await openRecording((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', [header]: 'gzip' });
      stream.end('x');
    });
    const answer = await askHttp2(bench.http2('api.test'), grpc, framed('x'));
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([502, 'unscannable-body']);
  });

  test('a value in a message is replaced where the placeholder is as long', async () => {
    await using bench = await openRecording((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.end(framed(value));
    });
    expect(placeholder).toHaveLength(value.length);
    expect((await askHttp2(bench.http2('api.test'), grpc, framed('x'))).body.equals(framed(placeholder))).toBe(true);
  });

  test('a secret pinned to the body is put into messages where its placeholder is as long, else they are refused', async () => {
    const hosts = { hosts: [{ kind: 'exact' as const, name: 'api.test' }], hostTexts: ['api.test'], pins: { places: [{ kind: 'body' as const, text: 'body' }], max: 1 } };
    for (const real of [value, 'pa55word!']) {
      const [pinned] = mintSecrets([{ name: 'PINNED', ...hosts, value: real }]) as [ReturnType<typeof mintSecrets>[number]];
      const received: Buffer[] = [];
      await using bench = await openBench({
        secrets: [pinned], allow: [],
        http2Upstream: (stream) => {
          stream.on('data', (chunk: Buffer) => void received.push(chunk)).on('end', () => { stream.respond({ ':status': 200 }); stream.end('ok'); });
        },
      });
      const answer = await askHttp2(bench.http2('api.test'), grpc, framed(pinned.placeholder));
      const isAsLong = pinned.placeholder.length === real.length;
      expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual(isAsLong ? [200, undefined] : [403, 'unreadable-body']);
      expect(Buffer.concat(received).equals(isAsLong ? framed(real) : Buffer.alloc(0))).toBe(true);
    }
  });

  test('where it is not, the stream is broken off before the message is', async () => {
    const [short] = mintSecrets([{ name: 'SHORT', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'pa55word!' }]) as [ReturnType<typeof mintSecrets>[number]];
    expect(short.placeholder.length).not.toBe(short.value.length);
    await using bench = await openBench({
      secrets: [short], allow: [],
      http2Upstream: (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(framed('harmless'));
        stream.end(framed(`with ${short.value} in it`));
      },
    });
    const stream = bench.http2('api.test').request(grpc).end(framed('x'));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined);
    await new Promise((closed) => stream.once('close', closed));
    expect(stream.rstCode).not.toBe(0);
    expect(Buffer.concat(chunks).toString()).not.toMatch(/pa55word|DECOY/);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'unscannable-body' });
  });

  test.each<[what: string, contentType: string, rest: Buffer, refusal: object]>([
    ['compressed, though no header says so', 'application/grpc', framed(zlib.gzipSync(value), 1), { decision: 'failed', reason: 'unscannable-body' }],
    ['compressed, in gRPC-Web', 'application/grpc-web+proto', framed(zlib.gzipSync(value), 1), { decision: 'failed', reason: 'unscannable-body' }],
    ['compressed, in Connect', 'application/connect+proto', framed(zlib.gzipSync(value), 1), { decision: 'failed', reason: 'unscannable-body' }],
    ['a compressed end of Connect', 'application/connect+json', framed(zlib.gzipSync(value), 3), { decision: 'failed', reason: 'unscannable-body' }],
    ['compressed trailers of gRPC-Web', 'application/grpc-web', framed(zlib.gzipSync(value), 0x81), { decision: 'failed', reason: 'unscannable-body' }],
    ['no message at all', 'application/grpc', Buffer.from('harmless'), { decision: 'failed', reason: 'unscannable-body' }],
    ['the rest of a value in UTF-16', 'application/grpc', Buffer.from(value, 'utf16le').subarray(1), { decision: 'blocked', reason: 'real-secret-arriving', secrets: [{ name: 'TOKEN', refusals: 1 }] }],
  ])('an answer that goes on with what cannot be scrubbed is broken off behind what was fine: %s', async (_, contentType, rest, refusal) => {
    let goOn: () => void = () => undefined;
    await using bench = await openRecording((stream) => {
      stream.respond({ ':status': 200, 'content-type': contentType });
      stream.write(framed(value.slice(0, 1)));
      goOn = () => void stream.end(rest);
    });
    const stream = bench.http2('api.test').request({ ...grpc, 'content-type': contentType }).end(framed('x'));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      goOn();
    }).on('error', () => undefined);
    await new Promise((closed) => stream.once('close', closed));
    expect(stream.rstCode).not.toBe(0);
    expect(Buffer.concat(chunks).equals(framed(value.slice(0, 1)))).toBe(true);
    expect((await bench.entriesOf(1))[0]).toMatchObject(refusal);
  });

  test.each<[what: string, host: string, headers: http2.OutgoingHttpHeaders, body: Buffer, reason: string]>([
    ['compressed, as a header of Connect says', 'other.test', { 'content-type': 'application/connect+proto', 'connect-content-encoding': 'gzip' }, framed('x'), 'unscannable-body'],
    ['compressed, though no header says so', 'other.test', { 'content-type': 'application/grpc' }, framed(zlib.gzipSync(placeholder), 1), 'unscannable-body'],
    ['compressed, in a coded body', 'api.test', { 'content-type': 'application/grpc', 'content-encoding': 'gzip' }, zlib.gzipSync(framed('x', 1)), 'unscannable-body'],
    ['a compressed end of Connect', 'api.test', { 'content-type': 'application/connect+json' }, framed('x', 3), 'unscannable-body'],
    ['no message at all', 'api.test', { 'content-type': 'application/grpc-web' }, Buffer.from('harmless'), 'unscannable-body'],
    ['a placeholder', 'api.test', { 'content-type': 'application/connect+json' }, framed(`{"a":"${placeholder}"}`), 'placeholder-wrong-place'],
    ['a placeholder that begins in one message, and whose rest is the next', 'api.test', { 'content-type': 'application/grpc' },
      Buffer.concat([framed(Buffer.from(placeholder, 'utf16le').subarray(0, 3)), Buffer.from(placeholder, 'utf16le').subarray(3)]), 'placeholder-wrong-place'],
  ])('messages of a client are refused, and the upstream sees nothing of them: %s', async (_, host, headers, body, reason) => {
    await using bench = await openRecording((stream) => {
      stream.on('end', () => { if (!stream.destroyed && stream.rstCode === 0) { stream.respond({ ':status': 200 }); stream.end('whole'); } });
    });
    const answer = await askHttp2(bench.http2(host), { ':method': 'POST', ...headers }, body);
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, reason]);
    const arrived = Buffer.from(bench.received(), 'latin1');
    expect(arrived.includes(body)).toBe(false);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'blocked', reason });
  });

  test('a body that says it is coded, or is of another type, with an underscore: refused, or the header is left out', async () => {
    await using bench = await openRecording();
    const session = bench.http2('api.test');
    const coded = await askHttp2(session, { ':method': 'POST', content_encoding: 'gzip' }, zlib.gzipSync(placeholder));
    expect([coded.status, coded.headers['x-decoy-blocked']]).toEqual([400, 'bad-request']);
    await askHttp2(session, { ':method': 'POST', content_type: 'a/b', accept_encoding: 'exi', 'grpc_accept-encoding': 'gzip', proxy_authorization: 'x', x_other: '1' }, 'y');
    const [seen] = bench.seen as [http2.IncomingHttpHeaders];
    expect(Object.keys(seen).filter((name) => name.includes('_'))).toEqual(['x_other']);
  });
});
