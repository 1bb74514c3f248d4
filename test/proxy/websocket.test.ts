import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket, type ClientOptions, type ServerOptions } from 'ws';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import type { Secret } from '../../src/secrets/secret.ts';
import { ask, readAll } from './open-bench.ts';
import { closed, echo, next, openSocketBench, type BenchOptions } from './open-socket-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const mint = (...hosts: string[]) => mintSecrets([{ name: 'KEY', hosts: hosts.map((name) => ({ kind: 'exact', name })), hostTexts: hosts, value }]);

const unbound = () => mint('unrelated.test');
const modes: [string, () => Secret[]][] = [['without secrets', () => []], ['messages read', unbound], ['messages scrubbed', () => mint('api.test')]];

describe.each(modes)('%s', (mode, secretsOf) => {
  const bound = (more: Partial<BenchOptions> = {}): BenchOptions => ({ secrets: secretsOf(), ...more });

  test('messages of both kinds come and go, and are counted', async () => {
    await using service = await openSocketBench(echo, bound());
    const socket = service.connect();
    await once(socket, 'open');
    socket.send('hällo');
    expect(await next(socket)).toEqual({ data: Buffer.from('hällo'), isBinary: false });
    const bytes = randomBytes(70_000);
    socket.send(bytes);
    expect(await next(socket)).toEqual({ data: bytes, isBinary: true });
    socket.send('');
    expect(await next(socket)).toEqual({ data: Buffer.alloc(0), isBinary: false });
    socket.close(1000, 'done');
    expect(await closed(socket)).toEqual({ code: 1000, reason: 'done' });
    const [entry] = await service.bench.entriesOf(1);
    expect(entry).toMatchObject({ protocol: 'https', method: 'GET', host: 'api.test', path: '/live', status: 101, decision: 'allowed', reason: null, secrets: [] });
    if (mode === 'without secrets') expect(entry!.requestBytes).toBeGreaterThan(70_006);
    else expect(entry).toMatchObject({ requestBytes: 70_006, responseBytes: 70_006 });
    expect(service.asked[0]).toMatchObject({ url: '/live?x=1', headers: { host: 'api.test', 'sec-websocket-version': '13' } });
  });

  test('messages in fragments arrive as one', async () => {
    await using service = await openSocketBench((socket) => socket.on('message', (data) => {
      socket.send(String(data).slice(0, 3), { fin: false });
      socket.ping();
      socket.send(String(data).slice(3), { fin: true });
    }), bound());
    const socket = service.connect();
    await once(socket, 'open');
    socket.send('frag', { fin: false });
    socket.send('men', { fin: false });
    socket.send('ted', { fin: true });
    expect(String((await next(socket)).data)).toBe('fragmented');
    socket.terminate();
  });

  test.each<[string, ServerOptions['perMessageDeflate'], ClientOptions['perMessageDeflate'], string]>([
    ['both', true, true, 'permessage-deflate'], ['the client alone', false, true, ''], ['the server alone', true, false, ''],
    ['both, each with a smaller window', { serverMaxWindowBits: 10, clientMaxWindowBits: 10, threshold: 0 }, { serverMaxWindowBits: 12, threshold: 0 }, 'permessage-deflate'],
  ])('compression: %s', async (_, serverSide, clientSide, extensions) => {
    await using service = await openSocketBench(echo, bound({ server: { noServer: true, perMessageDeflate: serverSide! } }));
    const socket = service.connect({ perMessageDeflate: clientSide! });
    await once(socket, 'open');
    expect(socket.extensions).toBe(extensions);
    for (const text of ['short', 'long '.repeat(100_000), 'short again', 'x'.repeat(2_000)]) {
      socket.send(text);
      expect(String((await next(socket)).data)).toBe(text);
    }
    socket.terminate();
  });

  test('other extensions are not offered where messages are read', async () => {
    await using service = await openSocketBench(echo, bound());
    const socket = service.connect({ perMessageDeflate: false, headers: { 'Sec-WebSocket-Extensions': 'x-strange; a=1, permessage-deflate; client_max_window_bits' } });
    await Promise.race([once(socket, 'open'), once(socket, 'close')]);
    const { 'sec-websocket-extensions': offered } = service.asked[0]!.headers;
    if (mode === 'without secrets') expect(offered).toBe('x-strange; a=1, permessage-deflate; client_max_window_bits');
    else expect(offered).toBe('permessage-deflate; client_max_window_bits');
    socket.terminate();
  });

  test('large messages, many at once, in order', async () => {
    await using service = await openSocketBench(echo, bound());
    const socket = service.connect({ perMessageDeflate: true });
    await once(socket, 'open');
    const messages = Array.from({ length: 12 }, (_, i) => Buffer.alloc(2 << 20, `message ${i} `));
    const received: Buffer[] = [];
    const all = new Promise<void>((done) => socket.on('message', (data: Buffer) => {
      received.push(data);
      if (received.length === messages.length) done();
    }));
    for (const message of messages) socket.send(message);
    await all;
    expect(received.map((data, i) => data.equals(messages[i]!))).toEqual(messages.map(() => true));
    socket.terminate();
  }, 30_000);

  test('subprotocols and headers pass, and credentials are judged before the upstream hears of it', async () => {
    await using service = await openSocketBench(echo, bound({ server: { noServer: true, handleProtocols: (offered) => [...offered][1]! } }));
    const socket = service.connect({ protocols: ['v1', 'v2'], headers: { 'X-Extra': 'yes', Origin: 'https://app.test' } });
    await once(socket, 'open');
    expect(socket.protocol).toBe('v2');
    expect(service.asked[0]!.headers).toMatchObject({ 'x-extra': 'yes', origin: 'https://app.test', 'sec-websocket-protocol': 'v1,v2' });
    socket.terminate();
  });

  test('pings, pongs, codes and reasons of closing pass both ways', async () => {
    const served: string[] = [];
    await using service = await openSocketBench((socket) => {
      socket.on('ping', (data) => served.push(`ping ${String(data)}`)).on('pong', (data) => served.push(`pong ${String(data)}`));
      socket.on('close', (code, reason) => void served.push(`close ${code} ${String(reason)}`));
      socket.on('message', () => socket.close(4321, 'the server has enough'));
      socket.ping('are you there');
    }, bound());
    const first = service.connect();
    const [ping] = await once(first, 'ping') as [Buffer];
    expect(String(ping)).toBe('are you there');
    first.ping('and you');
    expect(String((await once(first, 'pong') as [Buffer])[0])).toBe('and you');
    first.close(3001, 'the client has enough');
    expect(await closed(first)).toEqual({ code: 3001, reason: 'the client has enough' });
    const second = service.connect();
    await once(second, 'open');
    second.send('x');
    expect(await closed(second)).toEqual({ code: 4321, reason: 'the server has enough' });
    const third = service.connect();
    await once(third, 'open');
    third.close();
    expect((await closed(third)).code).toBe(1005);
    await service.bench.entriesOf(3);
    expect(served).toEqual(expect.arrayContaining(['pong are you there', 'ping and you', 'close 3001 the client has enough', 'close 4321 the server has enough', 'close 1005 ']));
  });

  test('a ping as large as one may be, of bytes that are no text, comes back as it was', async () => {
    await using service = await openSocketBench(echo, bound());
    const socket = service.connect();
    await once(socket, 'open');
    const bytes = Buffer.alloc(125, 0xff);
    const pong = once(socket, 'pong') as Promise<[Buffer]>;
    socket.ping(bytes);
    expect((await pong)[0].equals(bytes)).toBe(true);
    socket.terminate();
  });

  test('an upstream that answers something else is heard', async () => {
    await using service = await openSocketBench(echo, bound({ upstream: (_, response) => response.writeHead(200, { 'x-why': 'no' }).end('not a WebSocket') }));
    service.bench.servers.https.removeAllListeners('upgrade');
    const socket = service.connect();
    const [, answer] = await once(socket, 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, answer.headers['x-why'], String(await readAll(answer))]).toEqual([200, 'no', 'not a WebSocket']);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ status: 200, decision: 'allowed', responseBytes: 15 }]);
  });

  test('an upstream that is not there, and one that answers wrongly', async () => {
    await using service = await openSocketBench(echo, bound());
    service.bench.servers.https.removeAllListeners('upgrade').on('upgrade', (_, socket: Duplex) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n');
    });
    const [, answer] = await once(service.connect(), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([502, { reason: 'upstream-unreachable' }]);
    service.bench.servers.https.close();
    service.bench.servers.https.closeAllConnections();
    const [, none] = await once(service.connect(), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([none.statusCode, JSON.parse(String(await readAll(none)))]).toMatchObject([502, { reason: 'upstream-unreachable' }]);
  });

  test('an upstream that dies ends the client\'s connection, and says so in the log where messages are read', async () => {
    await using service = await openSocketBench((socket) => socket.on('message', () => socket.terminate()), bound());
    const socket = service.connect();
    await once(socket, 'open');
    socket.send('x');
    expect(await closed(socket)).toMatchObject({ code: 1006 });
    expect(await service.bench.entriesOf(1)).toMatchObject([{ status: 101, ...(mode === 'without secrets' ? {} : { decision: 'failed', reason: 'upstream-unreachable' }) }]);
  });

  test('a client that dies ends the upstream\'s', async () => {
    const gone = deferred<number>();
    await using service = await openSocketBench((socket) => socket.on('close', gone.resolve), bound());
    const socket = service.connect();
    await once(socket, 'open');
    socket.terminate();
    expect(await gone.promise).toBe(1006);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ status: 101, decision: 'allowed', reason: null }]);
  });

  test('the end of the proxy leaves no connection', async () => {
    await using service = await openSocketBench(echo, bound());
    const socket = service.connect();
    await once(socket, 'open');
    const ended = Promise.all([once(socket, 'close'), ...[...service.connections].map((connection) => once(connection, 'close'))]);
    await service.bench.proxy[Symbol.asyncDispose]();
    await ended;
    expect(service.connections.size).toBe(0);
  });

  test('what is sent right behind the handshake is not lost', async () => {
    await using service = await openSocketBench((socket) => socket.send('first words'), bound());
    const socket = service.connect();
    expect(String((await next(socket)).data)).toBe('first words');
    socket.terminate();
  });

  test.each(['the client', 'the server'])('%s does not read: what is in flight stays small', async (who) => {
    let sent = 0;
    const message = randomBytes(1 << 20);
    const fill = (socket: WebSocket) => {
      if (sent >= 200 << 20 || socket.readyState !== WebSocket.OPEN) return;
      sent += message.length;
      socket.send(message, { compress: false }, () => fill(socket));
    };
    await using service = await openSocketBench((socket) => (who === 'the client' ? fill(socket) : socket.pause()), bound());
    const socket = service.connect();
    await once(socket, 'open');
    if (who === 'the client') socket.pause();
    else fill(socket);
    let before = -1;
    while (sent !== before) {
      before = sent;
      await wait(150);
    }
    expect(sent).toBeLessThan(32 << 20);
    socket.terminate();
  }, 30_000);
});

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => { resolve = done; });
  return { promise, resolve };
}

describe('credentials of the handshake', () => {
  test('are swapped in a credential header, and the path is judged', async () => {
    const secrets = mint('api.test');
    await using service = await openSocketBench(echo, { secrets, allow: ['GET api.test/live'] });
    const socket = service.connect({ headers: { Authorization: `Bearer ${secrets[0]!.placeholder}` } });
    await once(socket, 'open');
    expect(service.asked[0]!.headers.authorization).toBe(`Bearer ${value}`);
    socket.close();
    await closed(socket);
    expect((await service.bench.entriesOf(1))[0]!.secrets).toEqual([{ name: 'KEY', substitutions: 1, scrubs: 0, refusals: 0 }]);
    const other = service.connect({ path: '/other' });
    const [, answer] = await once(other, 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([403, { reason: 'path-not-allowed' }]);
  });

  test.each<[string, (placeholder: string) => object, string, string]>([
    ['to another host', (placeholder) => ({ host: 'other.test', headers: { Authorization: `Bearer ${placeholder}` } }), 'placeholder-wrong-host', 'header authorization'],
    ['in the subprotocol', (placeholder) => ({ protocols: [`openai-insecure-api-key.${placeholder}`] }), 'placeholder-wrong-place', 'header sec-websocket-protocol'],
    ['in the query', (placeholder) => ({ path: `/live?key=${placeholder}` }), 'placeholder-wrong-place', 'URL query'],
    ['the real one', () => ({ headers: { Authorization: `Bearer ${value}` } }), 'real-secret-leaving', 'header authorization'],
  ])('are refused %s', async (_, optionsOf, reason, place) => {
    const secrets = mint('api.test');
    await using service = await openSocketBench(echo, { secrets, names: ['api.test', 'other.test'], allow: ['other.test'] });
    const [, answer] = await once(service.connect(optionsOf(secrets[0]!.placeholder)), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([403, { error: 'blocked by decoy', reason, place, secret: 'KEY' }]);
    expect(service.asked).toEqual([]);
  });

  test('are refused without TLS, where a WebSocket without any works', async () => {
    const secrets = mint('api.test');
    await using service = await openSocketBench(echo, { secrets, allow: ['api.test:80'] });
    const open = (headers: Record<string, string>) => service.connect({ createConnection: (() => service.bench.plain('api.test')) as never, headers });
    const socket = open({});
    await once(socket, 'open');
    socket.send('plain');
    expect(String((await next(socket)).data)).toBe('plain');
    socket.send(secrets[0]!.placeholder);
    expect((await closed(socket)).code).toBe(1008);
    const [, answer] = await once(open({ Authorization: secrets[0]!.placeholder }), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([403, { reason: 'placeholder-without-tls' }]);
    expect(await service.bench.entriesOf(2)).toMatchObject([{ protocol: 'http', reason: 'placeholder-without-tls', status: 101 }, { status: 403 }]);
  });
});

describe('what leaves', () => {
  test('a placeholder or a real value in two messages, cut anywhere: the second is not sent', async () => {
    const secrets = mint('api.test');
    const { placeholder } = secrets[0]!;
    const received: string[] = [];
    const ends: string[] = [];
    await using service = await openSocketBench((socket) => {
      socket.on('message', (data) => {
        received.push(String(data));
        socket.send('got it');
      });
      socket.on('close', (code, reason) => ends.push(`${code} ${String(reason)}`));
    }, { secrets });
    for (const [text, reason] of [[placeholder, 'placeholder-wrong-place'], [value, 'real-secret-leaving']] as const) {
      for (let at = 1; at < text.length; at += 1) {
        received.length = 0;
        const socket = service.connect({ perMessageDeflate: at % 2 === 0 });
        await once(socket, 'open');
        socket.send(`a${text.slice(0, at)}`);
        await next(socket);
        if (at % 3 === 0) socket.ping('between');
        socket.send(Buffer.from(`${text.slice(at)}z`));
        expect(await closed(socket)).toEqual({ code: 1008, reason: `blocked by decoy: ${reason}` });
        expect(received).toEqual([`a${text.slice(0, at)}`]);
      }
    }
    const entries = await service.bench.entriesOf(placeholder.length + value.length - 2);
    expect(new Set(entries.map((entry) => `${entry.decision} ${entry.status} ${entry.secrets[0]?.refusals}`))).toEqual(new Set(['blocked 101 1']));
    expect(new Set(ends)).toEqual(new Set(['1001 ']));
    expect(JSON.stringify(entries)).not.toContain(placeholder.slice(0, 30));
  }, 60_000);

  test.each<[string, (socket: WebSocket, text: string) => void]>([
    ['in fragments', (socket, text) => {
      socket.send(text.slice(0, 20), { fin: false });
      socket.send(text.slice(20), { fin: true });
    }],
    ['in binary', (socket, text) => socket.send(Buffer.from(`\0\xff${text}\0`, 'latin1'))],
    ['in base64', (socket, text) => socket.send(JSON.stringify({ data: Buffer.from(`xx${text}`).toString('base64') }))],
    ['compressed', (socket, text) => socket.send(`${'padding '.repeat(1_000)}${text}`, { compress: true })],
    ['in a ping', (socket, text) => socket.ping(text)],
    ['in a pong', (socket, text) => socket.pong(text)],
    ['in two pings', (socket, text) => {
      socket.ping(text.slice(0, 5));
      socket.ping(text.slice(5));
    }],
    ['as the reason of closing', (socket, text) => socket.close(1000, text)],
    ['in a message and a ping', (socket, text) => {
      socket.send(text.slice(0, 20));
      socket.ping(text.slice(20));
    }],
    ['in a pong and a message', (socket, text) => {
      socket.pong(text.slice(0, 20));
      socket.send(text.slice(20));
    }],
    ['in a message and the reason of closing', (socket, text) => {
      socket.send(text.slice(0, 40), { compress: true });
      socket.close(1000, text.slice(40));
    }],
    ['in a message, a ping and a message', (socket, text) => {
      socket.send(Buffer.from('x'.repeat(100_000) + text.slice(0, 20)));
      socket.ping(text.slice(20, 30));
      socket.send(Buffer.from(text.slice(30) + 'x'.repeat(100_000)));
    }],
  ])('%s', async (_, send) => {
    const secrets = mint('other.test');
    const received: string[] = [];
    const collect = (data: unknown) => void received.push(String(data));
    await using service = await openSocketBench((socket) => socket.on('message', collect).on('ping', collect).on('pong', collect).on('close', (code, reason) => collect(`${code} ${String(reason)}`)), { secrets });
    const socket = service.connect({ perMessageDeflate: true });
    await once(socket, 'open');
    send(socket, secrets[0]!.placeholder);
    socket.close();
    await closed(socket);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ decision: 'blocked', reason: 'placeholder-wrong-host', secrets: [{ name: 'KEY', refusals: 1 }] }]);
    while (service.connections.size > 0) await Promise.all([...service.connections].map((connection) => once(connection, 'close')));
    expect(received.join('\n')).not.toContain(secrets[0]!.placeholder.slice(10));
    expect(received.at(-1)).toBe('1001 ');
  });
});

describe('what comes in', () => {
  test('real values are replaced in messages of both kinds, in every form', async () => {
    const secrets = mint('api.test');
    const { placeholder } = secrets[0]!;
    await using service = await openSocketBench((socket) => {
      socket.send(`your key: ${value}, again ${value}!`);
      socket.send(Buffer.from(Buffer.from(value).toString('hex')));
      socket.send(JSON.stringify({ key: value, pad: 'x'.repeat(2_000) }), { compress: true });
      socket.ping(value);
      socket.once('pong', () => socket.close(4000, value));
    }, { secrets, server: { noServer: true, perMessageDeflate: true } });
    const socket = service.connect({ perMessageDeflate: true });
    const pings: string[] = [];
    const messages: string[] = [];
    socket.on('ping', (data) => pings.push(String(data))).on('message', (data) => messages.push(String(data)));
    expect(await closed(socket)).toEqual({ code: 4000, reason: placeholder });
    expect(messages).toEqual([`your key: ${placeholder}, again ${placeholder}!`, Buffer.from(placeholder).toString('hex'), JSON.stringify({ key: placeholder, pad: 'x'.repeat(2_000) })]);
    expect(pings).toEqual([placeholder]);
    expect((await service.bench.entriesOf(1))[0]).toMatchObject({ decision: 'allowed', secrets: [{ name: 'KEY', scrubs: 6 }] });
  });

  test('where a placeholder is longer than its value, control frames are cut to what they have room for', async () => {
    const short = 'hunter22hunter22';
    const secrets = mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: short }]);
    const { placeholder } = secrets[0]!;
    expect(placeholder.length).toBeGreaterThan(short.length);
    await using service = await openSocketBench((socket) => {
      socket.ping(short + 'x'.repeat(125 - short.length));
      socket.once('pong', () => socket.close(4000, short + 'é'.repeat(53)));
    }, { secrets });
    const socket = service.connect();
    const ping = once(socket, 'ping') as Promise<[Buffer]>;
    const end = closed(socket);
    expect(String((await ping)[0])).toBe(`${placeholder}${'x'.repeat(125)}`.slice(0, 125));
    expect(await end).toEqual({ code: 4000, reason: placeholder + 'é'.repeat((123 - placeholder.length) >> 1) });
  });

  test('headers of the handshake and of a refusal are scrubbed', async () => {
    const secrets = mint('api.test');
    await using service = await openSocketBench(echo, { secrets, upstream: (request, response) => response.writeHead(401, { 'x-echo': request.headers.authorization ?? '' }).end(request.headers.authorization) });
    const headers = { Authorization: secrets[0]!.placeholder };
    service.bench.servers.https.prependListener('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
      const write = socket.write.bind(socket) as (text: string) => boolean;
      socket.write = ((text: unknown) => write(String(text).replace('\r\n', `\r\nX-Echo: ${request.headers.authorization}\r\n`))) as never;
      socket.once('resume', () => { socket.write = write as never; });
    });
    const socket = service.connect({ headers });
    const [answer] = await once(socket, 'upgrade') as [http.IncomingMessage];
    expect(answer.headers['x-echo']).toBe(secrets[0]!.placeholder);
    socket.terminate();
    service.bench.servers.https.removeAllListeners('upgrade');
    const [, refused] = await once(service.connect({ headers }), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([refused.statusCode, refused.headers['x-echo'], String(await readAll(refused))]).toEqual([401, secrets[0]!.placeholder, secrets[0]!.placeholder]);
  });

  test('a real value in two messages, cut anywhere: the second does not arrive', async () => {
    const secrets = mint('api.test');
    let at = 1;
    await using service = await openSocketBench((socket) => {
      socket.send(`a${value.slice(0, at)}`);
      socket.send(Buffer.from(`${value.slice(at)}z`));
    }, { secrets });
    for (; at < value.length; at += 1) {
      const socket = service.connect();
      const messages: string[] = [];
      socket.on('message', (data) => messages.push(String(data)));
      expect(await closed(socket)).toEqual({ code: 1008, reason: 'blocked by decoy: real-secret-arriving' });
      expect(messages).toEqual([`a${value.slice(0, at)}`]);
    }
    const entries = await service.bench.entriesOf(value.length - 1);
    expect(new Set(entries.map((entry) => `${entry.decision} ${entry.reason} ${entry.secrets[0]?.refusals}`))).toEqual(new Set(['blocked real-secret-arriving 1']));
  }, 60_000);

  const control: Record<string, (socket: WebSocket, text: string) => void> = {
    'a ping': (socket, text) => socket.ping(text), 'a pong': (socket, text) => socket.pong(text), 'the reason of closing': (socket, text) => socket.close(4000, text),
  };
  const wheres = ['behind a message', 'behind another', 'before a message'];
  // Nothing follows a Close frame.
  test.each(Object.keys(control).flatMap((kind) => wheres.slice(0, kind === 'the reason of closing' ? 2 : 3).map((where) => [kind, where] as const)))(
    'a real value in two frames, cut anywhere, one of them %s %s: the second does not arrive', async (kind, where) => {
      const secrets = mint('api.test');
      const send = control[kind]!;
      let at = 1;
      await using service = await openSocketBench((socket) => {
        if (where === 'behind a message') socket.send(`a${value.slice(0, at)}`);
        else (where === 'behind another' ? control['a ping']! : send)(socket, `a${value.slice(0, at)}`);
        if (where === 'before a message') socket.send(`${value.slice(at)}z`);
        else send(socket, `${value.slice(at)}z`);
        socket.close(4001, 'all passed');
      }, { secrets });
      for (; at < value.length; at += 7) {
        const socket = service.connect({ autoPong: false });
        const heard: string[] = [];
        for (const event of ['message', 'ping', 'pong']) socket.on(event, (data) => heard.push(String(data)));
        expect(await closed(socket)).toEqual({ code: 1008, reason: 'blocked by decoy: real-secret-arriving' });
        expect(heard).toEqual([`a${value.slice(0, at)}`]);
      }
      expect((await service.bench.entriesOf(1))[0]).toMatchObject({ decision: 'blocked', reason: 'real-secret-arriving', secrets: [{ refusals: 1 }] });
    });

  test('from a host without a bound secret nothing is replaced', async () => {
    await using service = await openSocketBench((socket) => socket.send(value), { secrets: unbound() });
    const socket = service.connect();
    expect(String((await next(socket)).data)).toBe(value);
    socket.terminate();
  });
});

describe('bounds', () => {
  test.each(['the client', 'the server'])('a message of %s beyond 16 MiB ends the connection with 1009', async (who) => {
    const big = Buffer.alloc((16 << 20) + 1, 'x');
    const ended = deferred<number>();
    await using service = await openSocketBench((socket) => {
      socket.on('close', ended.resolve);
      if (who === 'the server') socket.send(big);
    }, { secrets: unbound() });
    const socket = service.connect({ perMessageDeflate: true });
    await once(socket, 'open');
    if (who === 'the client') socket.send(big);
    expect((await closed(socket)).code).toBe(1009);
    await ended.promise;
    expect(await service.bench.entriesOf(1)).toMatchObject([{ decision: 'blocked', reason: 'capacity', status: 101 }]);
  }, 20_000);

  test('so does one that is small only while it is compressed', async () => {
    await using service = await openSocketBench(echo, { secrets: unbound(), server: { noServer: true, perMessageDeflate: true, maxPayload: 100 << 20 } });
    const socket = service.connect({ perMessageDeflate: true });
    await once(socket, 'open');
    socket.send(Buffer.alloc(64 << 20), { compress: true });
    expect((await closed(socket)).code).toBe(1009);
    expect((await service.bench.entriesOf(1))[0]).toMatchObject({ requestBytes: 0, reason: 'capacity' });
  }, 20_000);

  test('what is no WebSocket ends both connections', async () => {
    const ended = deferred<number>();
    await using service = await openSocketBench((socket) => socket.on('close', ended.resolve), { secrets: unbound() });
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
    const received = readAll(raw);
    raw.write(Buffer.from('GET /another HTTP/1.1\r\n\r\n'));
    expect(String(await received)).toMatch(/^HTTP\/1\.1 101 /);
    expect(await ended.promise).toBe(1002);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ status: 101, decision: 'failed', reason: 'bad-request' }]);
  });

  test.each([
    ['without a key', 'GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n'],
    ['of another version', 'GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'],
    ['by POST', 'POST / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nContent-Length: 1\r\n\r\nx'],
  ])('a handshake %s is refused', async (_, text) => {
    await using service = await openSocketBench(echo, { secrets: unbound() });
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write(text);
    expect(String(await readAll(raw))).toMatch(/^HTTP\/1\.1 400 [^]*"reason":"bad-request"/);
    expect(service.asked).toEqual([]);
  });

  test('a handshake behind a request without an answer is cut off', async () => {
    await using service = await openSocketBench(echo, { secrets: unbound(), upstream: () => undefined });
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write('GET /slow HTTP/1.1\r\nHost: api.test\r\n\r\nGET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
    expect(await readAll(raw)).toHaveLength(0);
    expect(service.asked).toEqual([]);
  });

  test('a handshake behind a request that was cut off costs nobody else anything', async () => {
    await using service = await openSocketBench(echo, { secrets: unbound(), upstream: () => undefined, options: { limits: { requestsRunning: 1 } } });
    const get = 'GET /slow HTTP/1.1\r\nHost: api.test\r\n\r\n';
    const first = service.bench.tls('api.test');
    const asked = once(service.bench.servers.https, 'request');
    first.on('error', () => undefined).write(get);
    await asked;
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write(`${get}GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`);
    expect(await readAll(raw)).toHaveLength(0);
    expect(service.asked).toEqual([]);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ path: null, reason: 'capacity' }]);
    first.destroy();
  });

  test('any other Upgrade is ignored, with the request\'s body and the requests behind it', async () => {
    await using service = await openSocketBench(echo, {
      secrets: unbound(), upstream: async (request, response) => {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        response.end(`${request.url} ${request.headers.upgrade ?? 'none'} ${body};`);
      },
    });
    const raw = service.bench.tls('api.test');
    raw.write('POST /one HTTP/1.1\r\nHost: api.test\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 4\r\n\r\nbody');
    const [first] = await once(raw, 'data') as [Buffer];
    expect(String(first)).toContain('/one none body;');
    raw.write('GET /two HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    expect(String(await readAll(raw))).toContain('/two none ;');
    expect((await service.bench.entriesOf(2)).map(({ path, status }) => [path, status])).toEqual([['/one', 200], ['/two', 200]]);
  });

  test('a run reads 64 at most', async () => {
    await using service = await openSocketBench(echo, { secrets: unbound() });
    const sockets = Array.from({ length: 64 }, () => service.connect());
    await Promise.all(sockets.map((socket) => once(socket, 'open')));
    const [, answer] = await once(service.connect(), 'unexpected-response') as [unknown, http.IncomingMessage];
    expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([503, { reason: 'capacity' }]);
    sockets[0]!.close();
    await closed(sockets[0]!);
    await service.bench.entriesOf(2);
    const again = service.connect();
    await once(again, 'open');
    for (const socket of [...sockets, again]) socket.terminate();
    // A request beside them is no WebSocket.
    service.bench.servers.https.on('request', (_, response) => response.end('fine'));
    expect((await ask(service.bench.agentTo('api.test'), { headers: { host: 'api.test' } })).status).toBe(200);
  }, 20_000);
});
