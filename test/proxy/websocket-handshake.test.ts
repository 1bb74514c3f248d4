import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type http from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { parsePlaces } from '../../src/secrets/parse-place.ts';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { readAll } from './open-bench.ts';
import { closed, echo, openSocketBench } from './open-socket-bench.ts';

const value = 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH';
const mint = (host: string, places = '') => mintSecrets([{
  name: 'KEY', hosts: [{ kind: 'exact', name: host }], hostTexts: [host], value, ...(places && { pins: { places: parsePlaces(places).places, max: 1 } }),
}]);

describe.each([['without secrets', () => []], ['messages read', () => mint('unrelated.test')], ['messages scrubbed', () => mint('api.test')]])('%s', (_, secretsOf) => {
  const accept = (key: string) => createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const switching = 'HTTP/1.1 101 Switching Protocols\r\n';

  test.each<[string, (key: string) => string]>([
    ['101 without Upgrade', (key) => `${switching}Sec-WebSocket-Accept: ${accept(key)}\r\n\r\n`],
    ['101 to another protocol', (key) => `${switching}Upgrade: foo\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`],
    ['101 to two protocols', (key) => `${switching}Upgrade: foo, websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`],
    ['101 without an accept', () => `${switching}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`],
    ['101 with two accepts', (key) => `${switching}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept(key)}\r\nSec-WebSocket-Accept: ${accept(key)}\r\n\r\n`],
    ['101 to the key of the client', () => `${switching}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept('AAAAAAAAAAAAAAAAAAAAAA==')}\r\n\r\n`],
    ['the end', () => ''],
  ])('refused: %s', async (__, render) => {
    await using service = await openSocketBench(echo, { secrets: secretsOf() });
    const heard: Buffer[] = [];
    service.bench.servers.https.removeAllListeners('upgrade').on('upgrade', (request: http.IncomingMessage, socket: Duplex) => {
      socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => undefined);
      socket.end(render(request.headers['sec-websocket-key']!));
    });
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(String(await readAll(raw))).toMatch(/^HTTP\/1\.1 502 [^]*"reason":"upstream-unreachable"/);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ status: 502, decision: 'failed' }]);
    expect(Buffer.concat(heard)).toHaveLength(0);
  });

  test('an answer that is not 101 ends the connection: what was sent behind the handshake is not read as requests', async () => {
    const urls: (string | undefined)[] = [];
    await using service = await openSocketBench(echo, { secrets: secretsOf(), upstream: (request, response) => {
      urls.push(request.url);
      response.writeHead(426, { 'sec-websocket-version': '13', 'content-length': 2 }).end('no');
    } });
    service.bench.servers.https.removeAllListeners('upgrade');
    const raw = service.bench.tls('api.test');
    raw.on('error', () => undefined).write('GET /first HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(String(await readAll(raw))).toMatch(/^HTTP\/1\.1 426 [^]*\r\n\r\n(?:no|2\r\nno\r\n0\r\n\r\n)$/);
    expect(urls).toEqual(['/first']);
    expect(await service.bench.entriesOf(1)).toHaveLength(1);
  });
});

describe('a secret pinned', () => {
  const open = async (socket: WebSocket) => {
    await once(socket, 'open');
    socket.close();
    await closed(socket);
  };

  test('to the query, as services ask for that browsers use', async () => {
    const secrets = mint('api.test', 'query:key');
    await using service = await openSocketBench(echo, { secrets });
    await open(service.connect({ path: `/live?key=${secrets[0]!.placeholder}` }));
    expect(service.asked[0]!.url).toBe(`/live?key=${value}`);
    expect(await service.bench.entriesOf(1)).toMatchObject([{ path: '/live', secrets: [{ name: 'KEY', substitutions: 1 }] }]);
  });

  test('to the subprotocol, whose real value does not come back', async () => {
    const secrets = mint('api.test', 'header:sec-websocket-protocol');
    await using service = await openSocketBench(echo, { secrets, server: { noServer: true, handleProtocols: (offered) => [...offered].at(-1)! } });
    const socket = service.connect({ protocols: ['realtime', `key.${secrets[0]!.placeholder}`] });
    await open(socket);
    expect(service.asked[0]!.headers['sec-websocket-protocol']).toBe(`realtime,key.${value}`);
    expect(socket.protocol).toBe(`key.${secrets[0]!.placeholder}`);
  });

  test('to the body is swapped in no message', async () => {
    const secrets = mint('api.test', 'body');
    await using service = await openSocketBench(echo, { secrets });
    const socket = service.connect();
    await once(socket, 'open');
    socket.send(secrets[0]!.placeholder);
    expect(await closed(socket)).toEqual({ code: 1008, reason: 'blocked by decoy: placeholder-wrong-place' });
  });
});

test('a handshake is one of the requests a minute may have', async () => {
  await using service = await openSocketBench(echo, { options: { limits: { requestsPerMinute: 1 } } });
  const socket = service.connect();
  await once(socket, 'open');
  const [, answer] = await once(service.connect(), 'unexpected-response') as [unknown, http.IncomingMessage];
  expect([answer.statusCode, JSON.parse(String(await readAll(answer)))]).toMatchObject([429, { reason: 'capacity' }]);
  socket.close();
  await closed(socket);
});
