import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import zlib from 'node:zlib';
import grpcWeb from 'grpc-web';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { framed } from './frames.ts';
import { ask, openBench, readAll } from './open-bench.ts';
import { xmlHttpRequestOver } from './xml-http-request.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const hosts = { hosts: [{ kind: 'exact' as const, name: 'api.test' }], hostTexts: ['api.test'] };
const [secret] = mintSecrets([{ name: 'TOKEN', ...hosts, value }]) as [ReturnType<typeof mintSecrets>[number]];
const [pinned] = mintSecrets([{ name: 'TOKEN', ...hosts, value, pins: { places: [{ kind: 'body', text: 'body' }], max: 1 } }]) as [typeof secret];
const { placeholder } = secret;
/** A value that may stand in base64, and a text of which it is a part: the beginning of a message. */
const textual = value.replace('-', '/');
const asText = `AAAAAP8A${textual}A`;
const contentType = 'application/grpc-web-text+proto';
const trailers = framed('grpc-status:0\r\n', 0x80);

afterEach(() => void vi.unstubAllGlobals());

/** Decodes as the servers of the protocol do: segment by segment. */
function decode(text: string): Buffer {
  return Buffer.concat((text.match(/[^=]+={0,2}/g) ?? []).map((segment) => Buffer.from(segment, 'base64')));
}

function encode(...segments: readonly Buffer[]): string {
  return segments.map((segment) => segment.toString('base64')).join('');
}

type Server = (message: Buffer, send: (...segments: Buffer[]) => void) => void;

/** A server of gRPC-Web in base64: one message in, what `serve` sends out. */
async function openWeb(serve: Server, bound = secret) {
  const seen: { authorization: string | undefined; text: string; length: string | undefined }[] = [];
  const bench = await openBench({
    secrets: [bound], names: ['api.test', 'other.test'], allow: ['other.test'],
    upstream: async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      seen.push({ authorization: request.headers.authorization, text, length: request.headers['content-length'] });
      response.writeHead(200, { 'content-type': contentType });
      serve(decode(text).subarray(5), (...segments) => void response.write(encode(...segments)));
      response.end(encode(trailers));
    },
  });
  return { bench, seen, [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() };
}

type Web = Awaited<ReturnType<typeof openWeb>>;

function post({ bench }: Web, body: string | Buffer, { host = 'api.test', type = contentType, headers = {} }: { host?: string; type?: string; headers?: http.OutgoingHttpHeaders } = {}) {
  return ask(bench.agentTo(host), { method: 'POST', path: '/words', headers: { host, 'content-type': type, 'content-length': body.length, ...headers }, body });
}

const bytes = (text: string) => Buffer.from(text);
const methodOf = (name: string, type: string) => new grpcWeb.MethodDescriptor(`/test.Words/${name}`, type, String, String, bytes, (message: Uint8Array) => Buffer.from(message).toString());

/** The client of the gRPC project, in its text mode. */
function openClient({ bench }: Web) {
  vi.stubGlobal('XMLHttpRequest', xmlHttpRequestOver(bench.agentTo('api.test')));
  return new grpcWeb.GrpcWebClientBase({ format: 'text' });
}

describe("grpc-web's client", () => {
  test('calls with a secret, which is swapped, and reads an answer, which is scrubbed', async () => {
    await using web = await openWeb((message, send) => send(framed(`${message}, ${value}`)));
    const answer = await openClient(web).unaryCall('https://api.test/test.Words/Unary', 'one', { authorization: `Bearer ${placeholder}` }, methodOf('Unary', grpcWeb.MethodType.UNARY));
    expect(answer).toBe(`one, ${placeholder}`);
    expect(web.seen[0]).toMatchObject({ authorization: `Bearer ${value}`, text: encode(framed('one')) });
  });

  test('reads a stream, message by message', async () => {
    await using web = await openWeb((message, send) => {
      for (const word of message.toString().split(' ')) send(framed(word));
    });
    const words: string[] = [];
    const stream = openClient(web).serverStreaming('https://api.test/test.Words/Down', 'a bb ccc', {}, methodOf('Down', grpcWeb.MethodType.SERVER_STREAMING));
    stream.on('data', (word) => void words.push(word as string));
    await new Promise<void>((resolve) => void stream.on('end', () => resolve()));
    expect(words).toEqual(['a', 'bb', 'ccc']);
  });

  test('puts a secret in a message, where it is pinned to the body', async () => {
    await using web = await openWeb((message, send) => send(framed(`got ${message}`)), pinned);
    const answer = await openClient(web).unaryCall('https://api.test/test.Words/Unary', `<${pinned.placeholder}>`, {}, methodOf('Unary', grpcWeb.MethodType.UNARY));
    expect(answer).toBe(`got <${pinned.placeholder}>`);
    expect(web.seen[0]!.text).toBe(encode(framed(`<${value}>`)));
  });

  test('is told that a placeholder may not stand in a message', async () => {
    await using web = await openWeb((_, send) => send(framed('x')));
    const call = openClient(web).unaryCall('https://api.test/test.Words/Unary', placeholder, {}, methodOf('Unary', grpcWeb.MethodType.UNARY));
    // It takes what is not of its Content-Type for UNKNOWN, whatever the status.
    await expect(call).rejects.toMatchObject({ code: 2 });
    expect((await web.bench.entriesOf(1))[0]).toMatchObject({ decision: 'blocked', reason: 'placeholder-wrong-place' });
  });
});

/** A text in base64, in segments cut in the middle of messages and of values. */
function segmentsOf(whole: Buffer, length: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / length) }, (_, at) => whole.subarray(at * length, (at + 1) * length));
}

describe('requests', () => {
  test.each([1, 2, 3, 4, 5, 7, 16, 1000])('a pinned placeholder is swapped in segments of %d bytes, and neither length nor padding changes', async (length) => {
    await using web = await openWeb((_, send) => send(framed('ok')), pinned);
    const segments = (text: string) => encode(...segmentsOf(Buffer.concat([framed('first'), framed(`a ${text} b`), framed('last')]), length));
    expect((await post(web, segments(pinned.placeholder))).status).toBe(200);
    expect(web.seen[0]).toMatchObject({ text: segments(value), length: String(segments(value).length) });
    expect((await web.bench.entriesOf(1))[0]!.secrets).toMatchObject([{ name: 'TOKEN', substitutions: 1 }]);
  });

  test('and in a coded body', async () => {
    await using bench = await openBench({
      secrets: [pinned], allow: [],
      upstream: async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        response.writeHead(200, { 'content-type': contentType }).end(zlib.gunzipSync(Buffer.concat(chunks)));
      },
    });
    const answer = await ask(bench.agentTo('api.test'), { method: 'POST', headers: { host: 'api.test', 'content-type': contentType, 'content-encoding': 'gzip' }, body: zlib.gzipSync(encode(framed(pinned.placeholder))) });
    expect(decode(answer.body.toString())).toEqual(framed(pinned.placeholder));
    expect((await bench.entriesOf(1))[0]!.secrets).toMatchObject([{ substitutions: 1, scrubs: 1 }]);
  });

  const inSegments = (text: string, length: number) => encode(...segmentsOf(framed(`<${text}>`), length));
  test.each<[what: string, host: string, body: string | Buffer, reason: string, headers?: http.OutgoingHttpHeaders]>([
    ['a placeholder for another host', 'other.test', encode(framed(placeholder)), 'placeholder-wrong-host'],
    ['in segments of one byte', 'other.test', inSegments(placeholder, 1), 'placeholder-wrong-host'],
    ['in segments of five bytes', 'other.test', inSegments(placeholder, 5), 'placeholder-wrong-host'],
    ['in a coded body', 'other.test', zlib.gzipSync(inSegments(placeholder, 4)), 'placeholder-wrong-host', { 'content-encoding': 'gzip' }],
    ['a placeholder nothing allows there', 'api.test', inSegments(placeholder, 2), 'placeholder-wrong-place'],
    ['a real value', 'other.test', inSegments(value, 4), 'real-secret-leaving'],
    ['a real value for the bound host', 'api.test', inSegments(value, 7), 'real-secret-leaving'],
    ['over two messages', 'other.test', encode(framed(''), Buffer.from(value.slice(0, 20)), Buffer.from(value.slice(20))), 'unscannable-body'],
    ['compressed', 'other.test', encode(framed(zlib.gzipSync(placeholder), 1)), 'unscannable-body'],
    ['no messages', 'other.test', Buffer.from('harmless').toString('base64'), 'unscannable-body'],
    ['no base64', 'other.test', framed('x'), 'unscannable-body'],
    ['another alphabet', 'other.test', encode(framed('>>>???>>>???')).replaceAll('+', '-').replaceAll('/', '_'), 'unscannable-body'],
    ['line breaks', 'other.test', encode(framed('x'.repeat(60))).replace(/.{40}/, '$&\r\n'), 'unscannable-body'],
    ['bits behind the end', 'other.test', encode(framed('xy')).replace('Q==', 'R=='), 'unscannable-body'],
  ])('%s', async (_, host, body, reason, headers = {}) => {
    await using web = await openWeb((__, send) => send(framed('ok')));
    const answer = await post(web, body, { host, headers });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, reason]);
    expect((await web.bench.entriesOf(1))[0]).toMatchObject({ decision: 'blocked', reason });
    expect(web.seen).toEqual([]);
  });

  test('a pinned body that ends within a group, or is none, is refused', async () => {
    await using web = await openWeb((_, send) => send(framed('ok')), pinned);
    for (const body of [encode(framed('xy')).slice(0, -1), 'no base64', `${encode(framed(''))}A`]) {
      const answer = await post(web, body);
      expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'unscannable-body']);
    }
    expect(web.seen).toEqual([]);
  });

  test.each([
    ['of a host it is not bound to', 'other.test', secret],
    ['of a body it is pinned to', 'api.test', pinned],
  ])('a real value as the very text is refused: %s', async (_, host, bound) => {
    await using web = await openWeb((__, send) => send(framed('ok')), { ...bound, value: textual });
    const answer = await post(web, asText, { host });
    expect([answer.status, answer.headers['x-decoy-blocked']]).toEqual([403, 'real-secret-leaving']);
    expect(web.seen).toEqual([]);
  });
});

describe('answers', () => {
  test('a message that is finished arrives before the next is sent, whatever it ends with', async () => {
    let goOn: () => void = () => undefined;
    const words = ['one', `two ${value}`, `three ${value.slice(0, 4)}`, `four ${value.slice(0, 1)}`, 'five'];
    await using bench = await openBench({
      secrets: [secret], allow: [],
      upstream: (_, response) => {
        response.writeHead(200, { 'content-type': contentType });
        const rest = [...words];
        goOn = () => void (rest.length === 0 ? response.end(encode(trailers)) : response.write(encode(framed(rest.shift()!))));
        goOn();
      },
    });
    const request = http.request({ agent: bench.agentTo('api.test'), method: 'POST', headers: { host: 'api.test', 'content-type': contentType } }).end(encode(framed('x')));
    const [response] = await once(request, 'response') as [http.IncomingMessage];
    let text = '';
    const stream = response[Symbol.asyncIterator]();
    const next = async () => {
      const { done, value: chunk } = await Promise.race([stream.next(), once(AbortSignal.timeout(5_000), 'abort').then(() => { throw new Error(`nothing behind ${text}`); })]);
      if (done !== true) text += String(chunk);
      return done === true;
    };
    for (const [at] of words.entries()) {
      const expected = encode(...words.slice(0, at + 1).map((word) => framed(word.replace(value, placeholder))));
      while (text.length < expected.length) await next();
      expect(text).toBe(expected);
      goOn();
    }
    while (!(await next()));
    expect(text.endsWith(encode(trailers))).toBe(true);
  });

  test.each([1, 2, 3, 4, 5, 7, 16])('a value in segments of %d bytes is replaced', async (length) => {
    const segments = (text: string) => segmentsOf(Buffer.concat([framed('a'), framed(`b ${text}`), framed(`grpc-message:${text}\r\n`, 0x80)]), length);
    await using web = await openWeb((_, send) => send(...segments(value)));
    const answer = await post(web, encode(framed('x')));
    expect(answer.body.toString()).toBe(encode(...segments(placeholder)) + encode(trailers));
  });

  test.each<[what: string, body: string, refusal: object]>([
    ['no base64', 'harmless!', { decision: 'failed', reason: 'unscannable-body' }],
    ['an end within a group', encode(framed('xy')).slice(0, -1), { decision: 'failed', reason: 'unscannable-body' }],
    ['no messages', Buffer.from('harmless').toString('base64'), { decision: 'failed', reason: 'unscannable-body' }],
    ['compressed messages', encode(framed(zlib.gzipSync(value), 1)), { decision: 'failed', reason: 'unscannable-body' }],
    ['a value as the very text', asText, { decision: 'blocked', reason: 'real-secret-arriving' }],
  ])('%s: refused, and nothing more is written', async (_, body, refusal) => {
    const bound = body === asText ? { ...secret, value: textual } : secret;
    await using bench = await openBench({
      secrets: [bound], allow: [],
      upstream: (__, response) => void response.writeHead(200, { 'content-type': contentType }).end(body),
    });
    const socket = bench.tls('api.test');
    socket.write(`POST / HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Type: ${contentType}\r\nContent-Length: 0\r\n\r\n`);
    const answer = (await readAll(socket)).toString('latin1');
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toContain(`x-decoy-blocked: ${(refusal as { reason: string }).reason}`);
    expect(answer).not.toContain(bound.value);
    expect((await bench.entriesOf(1))[0]).toMatchObject(refusal);
  });

  test('of a value as the very text no more than six characters arrive, wherever and however slowly the server cuts it', async () => {
    const bound = { ...secret, value: textual };
    await using bench = await openBench({
      secrets: [bound], allow: [],
      upstream: async ({ url }, response) => {
        response.writeHead(200, { 'content-type': contentType });
        const at = asText.indexOf(textual) + Number(url!.slice(1));
        response.write(asText.slice(0, at));
        await wait(60);
        response.end(asText.slice(at));
      },
    });
    for (const shown of [1, 6, 7, 12, textual.length - 1]) {
      const socket = bench.tls('api.test');
      socket.write(`POST /${shown} HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n`);
      const answer = (await readAll(socket)).toString('latin1');
      expect(answer).not.toContain(textual.slice(0, 7));
      expect(answer).not.toContain('\r\n0\r\n\r\n');
    }
    expect((await bench.entriesOf(5)).map(({ reason }) => reason)).toEqual(Array(5).fill('real-secret-arriving'));
  });
});
