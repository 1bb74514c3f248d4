import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { encodedForms } from '../../src/secrets/encodings.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { openPort } from './gateway-client.ts';
import { openBench } from './open-bench.ts';

const value = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const [secret] = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value }]) as [ReturnType<typeof mintSecrets>[number]];

const bytes = (text: Buffer) => text;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Words/${name}`, requestStream, responseStream, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
});
const service = { unary: method('Unary', false, false), down: method('Down', false, true), up: method('Up', true, false), both: method('Both', true, true) };
type Words = grpc.Client & {
  unary(message: Buffer, metadata: grpc.Metadata, done: grpc.requestCallback<Buffer>): grpc.ClientUnaryCall;
  down(message: Buffer, metadata: grpc.Metadata): grpc.ClientReadableStream<Buffer>;
  up(metadata: grpc.Metadata, done: grpc.requestCallback<Buffer>): grpc.ClientWritableStream<Buffer>;
  both(metadata: grpc.Metadata): grpc.ClientDuplexStream<Buffer, Buffer>;
};

/** A server and a client of the real library, the proxy between them. */
async function openWords({ port = 443, bound = secret } = {}) {
  const seen: grpc.MetadataValue[] = [];
  const server = new grpc.Server();
  const note = ({ metadata }: { metadata: grpc.Metadata }) => void seen.push(...metadata.get('authorization'));
  server.addService(service, {
    unary(call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      note(call);
      if (call.request.toString() === 'fail') return done({ code: grpc.status.NOT_FOUND, details: `no ${value}` });
      const trailer = new grpc.Metadata();
      trailer.set('x-sum', '7');
      done(null, Buffer.from(`${call.request}, ${value}`), trailer);
    },
    down(call: grpc.ServerWritableStream<Buffer, Buffer>) {
      note(call);
      for (const word of call.request.toString().split(' ')) call.write(Buffer.from(word));
      call.end();
    },
    async up(call: grpc.ServerReadableStream<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) {
      note(call);
      const words: string[] = [];
      for await (const word of call) words.push(String(word));
      done(null, Buffer.from(words.join(' ')));
    },
    both(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      note(call);
      call.on('data', (word: Buffer) => call.write(Buffer.from(`got ${word}`))).on('end', () => call.end());
    },
  });
  const bench = await openBench({ secrets: [bound], allow: [], http2Upstream: () => undefined });
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  bench.servers.https.removeAllListeners('secureConnection').on('secureConnection', (socket: Duplex) => injector.injectConnection(socket));
  const gateway = await openPort({ socketPath: bench.socketPath, host: 'api.test', port });
  const Client = grpc.makeGenericClientConstructor(service, 'Words');
  const client = new Client(`127.0.0.1:${gateway.port}`, grpc.credentials.createSsl(Buffer.from(bench.authority.certificatePem)), {
    'grpc.ssl_target_name_override': 'api.test', 'grpc.default_authority': 'api.test',
  }) as unknown as Words;
  return {
    bench, client, seen,
    async [Symbol.asyncDispose]() {
      client.close();
      await gateway[Symbol.asyncDispose]();
      server.forceShutdown();
      await bench[Symbol.asyncDispose]();
    },
  };
}

function credentials(token = secret.placeholder): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

test('all four kinds of calls carry the real secret to the server, and its messages come back', async () => {
  await using words = await openWords();
  const { client } = words;

  let call: grpc.ClientUnaryCall | null = null;
  const answer = new Promise<Buffer | undefined>((resolve, reject) => {
    call = client.unary(Buffer.from('one'), credentials(), (error, message) => (error === null ? resolve(message) : reject(error)));
  });
  const status = once(call!, 'status') as Promise<[grpc.StatusObject]>;
  expect(String(await answer)).toBe(`one, ${secret.placeholder}`);
  expect((await status)[0]).toMatchObject({ code: grpc.status.OK });
  expect((await status)[0].metadata.get('x-sum')).toEqual(['7']);

  const down: string[] = [];
  for await (const word of client.down(Buffer.from('a b c'), credentials())) down.push(String(word));
  expect(down).toEqual(['a', 'b', 'c']);

  const joined = new Promise<string>((resolve, reject) => {
    const up = client.up(credentials(), (error, message) => (error === null ? resolve(String(message)) : reject(error)));
    for (const word of ['x', 'y', 'z']) up.write(Buffer.from(word));
    up.end();
  });
  expect(await joined).toBe('x y z');

  const both = client.both(credentials());
  for (const word of ['ping', 'pong', 'pang']) {
    both.write(Buffer.from(word));
    expect(String((await once(both, 'data'))[0])).toBe(`got ${word}`);
  }
  both.end();
  expect((await once(both, 'status') as [grpc.StatusObject])[0].code).toBe(grpc.status.OK);

  expect(words.seen).toEqual(Array(4).fill(`Bearer ${value}`));
  const entries = await words.bench.entriesOf(4);
  expect(entries.map(({ path, decision, secrets: uses }) => [path, decision, uses[0]!.substitutions])).toEqual(
    ['Unary', 'Down', 'Up', 'Both'].map((name) => [`/test.Words/${name}`, 'allowed', 1]),
  );
});

test('a status that says no arrives as it was said, scrubbed', async () => {
  await using words = await openWords();
  const failed = new Promise<grpc.ServiceError | null>((resolve) => void words.client.unary(Buffer.from('fail'), credentials(), resolve));
  expect(await failed).toMatchObject({ code: grpc.status.NOT_FOUND, details: `no ${secret.placeholder}` });
});

test('a call that is cancelled ends at the server; one that is refused tells the reason', async () => {
  await using words = await openWords();
  const both = words.client.both(credentials());
  both.write(Buffer.from('ping'));
  await once(both, 'data');
  both.cancel();
  expect(await new Promise((resolve) => both.once('error', resolve))).toMatchObject({ code: grpc.status.CANCELLED });

  const refused = new Promise<grpc.ServiceError | null>((resolve) => void words.client.unary(Buffer.from(`x ${secret.placeholder}`), credentials(), resolve));
  // A 403 is PERMISSION_DENIED to gRPC.
  expect(await refused).toMatchObject({ code: grpc.status.PERMISSION_DENIED });
  const entries = await words.bench.entriesOf(2);
  expect(entries.at(-1)).toMatchObject({ decision: 'blocked', reason: 'placeholder-wrong-place' });
});

/** What each word ends with: how a value begins, in every form, up to four bytes of it. */
const beginnings = (text: string) => [...new Set(encodedForms(text).flatMap((form) => [1, 2, 3, 4].map((length) => form.text.slice(0, length))))].map((form) => Buffer.from(form, 'latin1'));

/** As long as the vendor's prefix is, of which more than four bytes wait otherwise. */
function knownBeginnings(): Buffer[] {
  return encodedForms(value).map(({ text, write }) => {
    const written = write(secret.placeholder);
    return Buffer.from(text.slice(0, Array.from(text).findIndex((char, at) => char !== written[at])), 'latin1');
  });
}

/** Sends a word when the answer to the last has come, two hundred times. */
async function talk(both: grpc.ClientDuplexStream<Buffer, Buffer>, endings: readonly Buffer[], first = Buffer.from('first')): Promise<Buffer[]> {
  const words = [first, ...Array.from({ length: 199 }, (_, at) => Buffer.concat([Buffer.from(`${at} `), endings[at % endings.length]!]))];
  for (const [at, word] of words.entries()) {
    const answered = once(both, 'data', { signal: AbortSignal.timeout(10_000) }) as Promise<[Buffer]>;
    both.write(word);
    const [answer] = await answered;
    if (at > 0) expect(answer.equals(Buffer.concat([Buffer.from('got '), word])), `word ${at}, ${word.toString('latin1')}`).toBe(true);
  }
  both.end();
  expect((await once(both, 'status') as [grpc.StatusObject])[0].code).toBe(grpc.status.OK);
  return words;
}

test.each([
  ['the first character of the value', [Buffer.from(value.slice(0, 1))]],
  ['that of its base64', [Buffer.from(Buffer.from(value).toString('base64').slice(0, 1))]],
  ['the beginning of any form', beginnings(value)],
  ['what the value and its placeholder begin with, in any form', knownBeginnings()],
])('two sides that wait for each other come to an end though every message ends with %s', async (_, endings) => {
  await using words = await openWords();
  await talk(words.client.both(credentials()), endings);
  expect((await words.bench.entriesOf(1))[0]).toMatchObject({ decision: 'allowed', reason: null });
});

test('and where a secret is pinned to the body, which is searched for its placeholder', async () => {
  const pins = { places: [{ kind: 'body' as const, text: 'body' }], max: 1 };
  const [bound] = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value, pins }]) as [typeof secret];
  await using words = await openWords({ bound });
  await talk(words.client.both(new grpc.Metadata()), [Buffer.from(bound.placeholder.slice(0, 1)), Buffer.from(bound.placeholder.slice(0, -1))], Buffer.from(bound.placeholder));
  expect((await words.bench.entriesOf(1))[0]).toMatchObject({ decision: 'allowed', secrets: [{ name: 'TOKEN', substitutions: 1, scrubs: 1 }] });
});
