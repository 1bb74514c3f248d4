import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createLedger } from '../../src/report/network-ledger.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { renderProxyHeader } from './gateway-client.ts';
import { openBench, portOf } from './open-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const mint = (host: string) => mintSecrets([{ name: 'KEY', hosts: [{ kind: 'exact', name: host }], hostTexts: [host], value }]);
const megabyte = Buffer.alloc(1 << 20, 'some bytes ');
const poured = 20;

/** A server of a raw protocol behind `db.test:5432`, and a proxy that a rule lets through to it. */
async function openTcpBench(onConnection: (socket: Socket) => void, { secrets = mint('unrelated.test').slice(0, 0), allow = ['tcp://db.test:5432'] } = {}) {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined).once('close', () => sockets.delete(socket)));
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const resolve = [{ host: 'db.test', port: 5432, address: '127.0.0.1', addressPort: portOf(server) }];
  const bench = await openBench({ allow, secrets, options: { resolve } });
  return {
    bench, server, sockets,
    connect(): Socket {
      const socket = bench.plain('db.test', 5432);
      socket.allowHalfOpen = true;
      return socket.on('error', () => undefined);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await bench[Symbol.asyncDispose]();
    },
  };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => { resolve = done; });
  return { promise, resolve };
}

async function pour(sink: Socket): Promise<void> {
  for (let i = 0; i < poured; i++) if (!sink.write(megabyte)) await once(sink, 'drain');
  sink.end();
}

/** What a socket receives until the other side ends, or the connection breaks. The socket's own side stays open. */
async function receive(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await new Promise<void>((done) => void socket.on('data', (chunk: Buffer) => chunks.push(chunk)).once('end', done).once('close', done));
  return Buffer.concat(chunks);
}

async function digest(source: Socket): Promise<string> {
  return createHash('sha1').update(await receive(source)).digest('hex');
}

const expected = (() => {
  const hash = createHash('sha1');
  for (let i = 0; i < poured; i++) hash.update(megabyte);
  return hash.digest('hex');
})();

describe('a connection is passed on as it is', () => {
  test('where the server speaks first, and the client once', async () => {
    await using raw = await openTcpBench((socket) => {
      socket.write('220 ready\r\n');
      socket.once('data', (line) => socket.end(`you said ${String(line)}`));
    });
    const client = raw.connect();
    expect(String((await once(client, 'data'))[0])).toBe('220 ready\r\n');
    client.end('QUIT');
    expect(String(await receive(client))).toBe('you said QUIT');
    expect(await raw.bench.entriesOf(1)).toMatchObject([{
      protocol: 'tcp', host: 'db.test', port: 5432, method: null, path: null, status: null, decision: 'allowed', rule: 'tcp://db.test:5432', reason: null,
      requestBytes: 4, responseBytes: 24, secrets: [],
    }]);
  });

  test('where the client speaks first, bytes that look like TLS or HTTP included', async () => {
    await using raw = await openTcpBench((socket) => void socket.pipe(socket));
    for (const bytes of [Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3]), Buffer.from('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n')]) {
      const client = raw.connect();
      client.end(bytes);
      expect(await receive(client)).toEqual(bytes);
    }
  });

  test('each direction ends by itself: the client\'s first', async () => {
    await using raw = await openTcpBench((socket) => {
      socket.resume().once('end', () => void pour(socket));
    });
    const client = raw.connect();
    client.end();
    expect(await digest(client)).toBe(expected);
  });

  test('each direction ends by itself: the server\'s first, and what the client then sends still arrives whole', async () => {
    const received = deferred<string>();
    await using raw = await openTcpBench((socket) => {
      socket.end('bye');
      void digest(socket).then(received.resolve);
    });
    const client = raw.connect();
    expect(String(await receive(client))).toBe('bye');
    await pour(client);
    expect(await received.promise).toBe(expected);
    expect((await raw.bench.entriesOf(1))[0]).toMatchObject({ requestBytes: poured << 20, responseBytes: 3 });
  });

  test('a client that ends before the server is reached', async () => {
    await using raw = await openTcpBench((socket) => {
      socket.resume().once('end', () => socket.end('late'));
    });
    const client = net.connect({ path: raw.bench.socketPath, allowHalfOpen: true });
    client.end(renderProxyHeader({ host: 'db.test', port: 5432 }));
    expect(String(await receive(client))).toBe('late');
  });

  test.each([['without secrets', undefined], ['searched both ways', 'db.test']])('20 MB each way at once, %s', async (_, host) => {
    const received = deferred<string>();
    await using raw = await openTcpBench((socket) => {
      void digest(socket).then(received.resolve);
      void pour(socket);
    }, host === undefined ? {} : { secrets: mint(host) });
    const client = raw.connect();
    void pour(client);
    expect(await digest(client)).toBe(expected);
    expect(await received.promise).toBe(expected);
    expect((await raw.bench.entriesOf(1))[0]).toMatchObject({ requestBytes: poured << 20, responseBytes: poured << 20 });
  }, 30_000);

  test('TLS between both ends stays theirs: the client sees the server\'s own certificate', async () => {
    await using raw = await openTcpBench(() => undefined);
    const secured = tls.createServer({ SNICallback: (name, done) => void Promise.resolve(raw.bench.upstreamAuthority.leafContext(name)).then((context) => done(null, context), done) },
      (socket) => void socket.pipe(socket));
    raw.server.on('connection', (socket) => secured.emit('connection', socket));
    const client = tls.connect({ socket: raw.connect(), host: 'db.test', servername: 'db.test', ca: raw.bench.upstreamAuthority.certificatePem });
    client.write('hello');
    expect(String((await once(client, 'data'))[0])).toBe('hello');
    client.destroy();
  });
});

describe('back-pressure', () => {
  test.each(['the client', 'the server'])('%s does not read: what is in flight stays small', async (who) => {
    let sent = 0;
    const fill = (socket: Socket) => {
      while (sent < 100 << 20) {
        sent += megabyte.length;
        if (!socket.write(megabyte)) return void socket.once('drain', () => fill(socket));
      }
    };
    await using raw = await openTcpBench((socket) => (who === 'the client' ? fill(socket) : socket.pause()));
    const client = raw.connect();
    client.pause();
    if (who === 'the server') fill(client);
    let before = -1;
    while (sent !== before || sent === 0) {
      before = sent;
      await wait(100);
    }
    expect(sent).toBeLessThan(24 << 20);
    client.destroy();
  }, 20_000);
});

describe('one end goes away', () => {
  test('the client: the server\'s connection ends', async () => {
    const accepted = deferred<Socket>();
    await using raw = await openTcpBench((socket) => accepted.resolve(socket));
    const client = raw.connect();
    client.write('x');
    const socket = (await accepted.promise).resume();
    const closed = once(socket, 'end');
    client.destroy();
    await closed;
  });

  test('the server, by a reset: the client\'s connection ends', async () => {
    await using raw = await openTcpBench((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const client = raw.connect();
    client.write('x');
    await receive(client);
    expect(await raw.bench.entriesOf(1)).toMatchObject([{ decision: 'allowed', requestBytes: 1 }]);
  });

  test('the proxy: both', async () => {
    const accepted = deferred<Socket>();
    await using raw = await openTcpBench((socket) => accepted.resolve(socket));
    const client = raw.connect();
    const socket = (await accepted.promise).resume();
    const closed = [once(client, 'close'), once(socket, 'close')];
    client.resume();
    await raw.bench.proxy[Symbol.asyncDispose]();
    client.end();
    socket.end();
    await Promise.all(closed);
    expect(raw.sockets.size).toBe(0);
  });
});

describe('where it may go', () => {
  test('not to a private address that resolve does not name', async () => {
    await using bench = await openBench({ allow: ['tcp://127.1.2.3:5432', 'tcp://10.0.0.1:22', 'tcp://169.254.169.254:80'], options: { resolve: [] } });
    for (const [host, port] of [['127.1.2.3', 5432], ['10.0.0.1', 22], ['169.254.169.254', 80]] as const) {
      expect(await receive(bench.plain(host, port))).toHaveLength(0);
    }
    expect((await bench.entriesOf(3)).map(({ protocol, decision, reason, status }) => [protocol, decision, reason, status])).toEqual(
      Array.from({ length: 3 }, () => ['tcp', 'blocked', 'private-address', null]),
    );
    expect(bench.entries[1]!.remedy).toBe('"10.0.0.1" leads to a private address or to this host only; add "10.0.0.1:22:ADDRESS" to resolve to reach it nevertheless.');
  });

  test('not to a port without a rule, and not by HTTP', async () => {
    await using raw = await openTcpBench((socket) => void socket.pipe(socket));
    expect(await receive(raw.bench.plain('db.test', 5433))).toHaveLength(0);
    expect(await receive(raw.bench.plain('db.test', 443))).toHaveLength(0);
    expect((await raw.bench.entriesOf(2)).map(({ decision, reason }) => [decision, reason])).toEqual([['blocked', 'port-not-allowed'], ['blocked', 'port-not-allowed']]);
    expect(raw.bench.entries.map(({ remedy }) => remedy)).toEqual(['add `db.test:5433` to allow; where it is not HTTP, add `tcp://db.test:5433` to allow', 'add `db.test:443` to allow']);
  });

  test('what nobody listens at is a failure of its own', async () => {
    await using raw = await openTcpBench(() => undefined);
    raw.server.close();
    expect(await receive(raw.connect())).toHaveLength(0);
    expect(await raw.bench.entriesOf(1)).toMatchObject([{ decision: 'failed', reason: 'upstream-unreachable', rule: 'tcp://db.test:5432', remedy: expect.stringContaining('"db.test:5432"') }]);
  });

  test('the report counts it', async () => {
    await using raw = await openTcpBench((socket) => void socket.pipe(socket));
    const client = raw.connect();
    client.end('12345');
    await receive(client);
    const ledger = createLedger([]);
    for (const entry of await raw.bench.entriesOf(1)) ledger.add(entry);
    expect(ledger.network()).toMatchObject({ requests: 1, blocked: 0, hosts: [{ host: 'db.test', requests: 1, requestBytes: 5, responseBytes: 5 }] });
  });
});

/** All a server received when the connection was cut, whatever way the text was cut in two. */
async function leave(raw: Awaited<ReturnType<typeof openTcpBench>>, parts: readonly string[]): Promise<void> {
  const client = raw.connect();
  client.setNoDelay(true);
  const ended = receive(client);
  for (const part of parts) {
    client.write(part);
    // The parts are to arrive one by one: the server says when it has one, or the connection is cut.
    await Promise.race([once(client, 'data'), ended]);
  }
  await ended;
}

describe('secrets', () => {
  test.each([
    ['a placeholder', 'placeholder-wrong-place', 'db.test'], ['a real value', 'real-secret-leaving', 'db.test'],
    ['a placeholder of another host', 'placeholder-wrong-host', 'other.test'], ['a real value of another host', 'real-secret-leaving', 'other.test'],
  ])('%s is stopped before its last byte leaves, cut in two or not', async (what, reason, host) => {
    const secrets = mint(host);
    const text = what.startsWith('a real') ? value : secrets[0]!.placeholder;
    let received = '';
    await using raw = await openTcpBench((socket) => socket.on('data', (chunk) => {
      received += String(chunk);
      socket.write('.');
    }), { secrets });
    for (const at of [0, 1, 20, text.length - 1]) {
      received = '';
      await leave(raw, at === 0 ? ['before', text] : [`before${text.slice(0, at)}`, `${text.slice(at)}after`]);
      expect(received).toBe(`before${text.slice(0, at)}`);
    }
    const entries = await raw.bench.entriesOf(4);
    expect(entries.map((entry) => [entry.decision, entry.reason, entry.status, entry.secrets])).toEqual(
      Array.from({ length: 4 }, () => ['blocked', reason, null, [{ name: 'KEY', substitutions: 0, scrubs: 0, refusals: 1 }]]),
    );
    expect(JSON.stringify(entries)).not.toContain(text);
    if (reason !== 'real-secret-leaving') {
      expect(entries[0]!.remedy).toBe('Secret `KEY` is swapped in HTTP requests over TLS and never in a raw TCP connection: give the program a credential of its own for `tcp://db.test:5432`.');
    }
  });

  test.each([1, 7, value.length - 1, value.length])('a real value coming from a host it is bound to is stopped before its last byte: cut at %i', async (at) => {
    await using raw = await openTcpBench((socket) => {
      socket.write(`before${value.slice(0, at - 1)}`);
      socket.once('data', () => socket.write(`${value.slice(at - 1)}after`));
    }, { secrets: mint('db.test') });
    const client = raw.connect();
    let received = String((await once(client, 'data'))[0]);
    client.write('go on');
    received += String(await receive(client));
    expect(received).toBe(`before${value.slice(0, at - 1)}`);
    expect(await raw.bench.entriesOf(1)).toMatchObject([{
      decision: 'blocked', reason: 'real-secret-arriving', requestBytes: 5, responseBytes: received.length, secrets: [{ name: 'KEY', refusals: 1 }],
      remedy: '"db.test:5432" sent the real value of secret "KEY", which cannot be replaced in a raw TCP connection: keep it off that service.',
    }]);
  });

  test('from a host without a bound secret nothing is looked at, nor are placeholders that come back', async () => {
    const secrets = mint('other.test');
    await using raw = await openTcpBench((socket) => socket.end(`${value} ${secrets[0]!.placeholder}`), { secrets });
    const client = raw.connect();
    client.end();
    expect(String(await receive(client))).toBe(`${value} ${secrets[0]!.placeholder}`);
  });

  test('where a secret is bound HTTPS stays HTTPS, a wider raw rule or not', async () => {
    await using bench = await openBench({ secrets: mint('api.db.test'), allow: ['tcp://*.db.test:443'], names: ['api.db.test'], upstream: (_, response) => response.end('over HTTP') });
    const client = bench.tls('api.db.test');
    client.write('GET / HTTP/1.1\r\nHost: api.db.test\r\nConnection: close\r\n\r\n');
    expect(String(await receive(client))).toContain('over HTTP');
    expect(await bench.entriesOf(1)).toMatchObject([{ protocol: 'https', rule: 'secret KEY', status: 200 }]);
  });
});
