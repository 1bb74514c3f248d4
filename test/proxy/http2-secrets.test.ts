import type http2 from 'node:http2';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
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

describe('gRPC', () => {
  const grpc = { ':method': 'POST', 'content-type': 'application/grpc+proto', te: 'trailers' };

  test('a bound host is asked for uncompressed messages, another one for what the client takes', async () => {
    await using bench = await openRecording();
    await askHttp2(bench.http2('api.test'), { ...grpc, 'grpc-accept-encoding': 'identity,deflate,gzip' }, 'x');
    await askHttp2(bench.http2('other.test'), { ...grpc, 'grpc-accept-encoding': 'identity,deflate,gzip' }, 'x');
    expect(bench.seen.map((headers) => headers['grpc-accept-encoding'])).toEqual(['identity', 'identity,deflate,gzip']);
  });

  test('one that compresses nevertheless is refused', async () => {
    await using bench = await openRecording((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' });
      stream.end('x');
    });
    const answer = await askHttp2(bench.http2('api.test'), grpc, 'x');
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([502, 'unscannable-body']);
  });

  const message = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);

  test('a value in a message is replaced where the placeholder is as long', async () => {
    await using bench = await openRecording((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.end(message(value));
    });
    expect(placeholder).toHaveLength(value.length);
    expect((await askHttp2(bench.http2('api.test'), grpc, 'x')).body.equals(message(placeholder))).toBe(true);
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
      const answer = await askHttp2(bench.http2('api.test'), grpc, message(pinned.placeholder));
      const isAsLong = pinned.placeholder.length === real.length;
      expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual(isAsLong ? [200, undefined] : [403, 'unreadable-body']);
      expect(Buffer.concat(received).equals(isAsLong ? message(real) : Buffer.alloc(0))).toBe(true);
    }
  });

  test('where it is not, the stream is broken off before the message is', async () => {
    const [short] = mintSecrets([{ name: 'SHORT', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'pa55word!' }]) as [ReturnType<typeof mintSecrets>[number]];
    expect(short.placeholder.length).not.toBe(short.value.length);
    await using bench = await openBench({
      secrets: [short], allow: [],
      http2Upstream: (stream) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(message('harmless'));
        stream.end(message(`with ${short.value} in it`));
      },
    });
    const stream = bench.http2('api.test').request(grpc).end('x');
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined);
    await new Promise((closed) => stream.once('close', closed));
    expect(stream.rstCode).not.toBe(0);
    expect(Buffer.concat(chunks).toString()).not.toMatch(/pa55word|DECOY/);
    expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'unscannable-body' });
  });
});
