import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { MOST_CONNECTIONS } from '../../src/expose/limits.ts';
import { answering, openInside } from './open-inside.ts';

const toServer = (server: http.Server) => (socket: net.Socket) => void server.emit('connection', socket);

test('requests go on as they came, without the token and what is between two hops alone', async () => {
  const received: string[] = [];
  await using inside = await openInside(answering('HTTP/1.1 200 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nKeep-Alive: x\r\nContent-Length: 2\r\n\r\nok', received));
  const answer = await inside.raw(`GET /a%2Fb?q=1 HTTP/1.1\r\nHost: localhost:1\r\nX-Decoy-Token: ${inside.token}\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nCookie: c=1\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n`);
  expect(received).toEqual(['GET /a%2Fb?q=1 HTTP/1.1\r\nHost: localhost:1\r\nCookie: c=1\r\nX-Twice: 1\r\nX-Twice: 2\r\nConnection: close\r\n\r\n']);
  expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok$/);
});

test('without the token nothing reaches the server, and the answer says how to send it', async () => {
  const received: string[] = [];
  await using inside = await openInside(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', received));
  for (const headers of [{}, { 'x-decoy-token': 'wrong' }, { authorization: 'Bearer wrong' }]) {
    const answer = await fetch(inside.url, { headers: headers as Record<string, string> });
    expect([answer.status, answer.headers.get('www-authenticate'), await answer.text()]).toEqual([401, 'Basic realm="decoy"', expect.stringContaining('x-decoy-token: TOKEN')]);
  }
  expect(await inside.raw('CONNECT metadata.test:80 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 405 /);
  expect(await inside.raw('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')).toMatch(/^HTTP\/1\.1 401 /);
  expect(await inside.raw('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')).toMatch(/^HTTP\/1\.1 401 /);
  expect(received).toEqual([]);
  expect(inside.usage()).toMatchObject({ requests: 0, refused: 6 });
  // The control.
  expect((await fetch(inside.url, { headers: { 'x-decoy-token': inside.token } })).status).toBe(200);
  expect(received).toHaveLength(1);
});

test('one request cannot hide another, whose token the server would see', async () => {
  const received: string[] = [];
  await using inside = await openInside(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', received));
  const second = `GET /second HTTP/1.1\r\nHost: x\r\nX-Decoy-Token: ${inside.token}\r\n\r\n`;
  const first = `POST /first HTTP/1.1\r\nHost: x\r\nX-Decoy-Token: ${inside.token}\r\n`;
  await Promise.all([
    inside.raw(`${first}Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n${second}`),
    inside.raw(`${first}Content-Length: 0\r\nContent-Length: ${second.length}\r\nConnection: close\r\n\r\n${second}`),
    inside.raw(`${first}Transfer-Encoding : chunked\r\nConnection: close\r\n\r\n0\r\n\r\n${second}`),
    inside.raw(`GET /first HTTP/1.1\r\nHost: x\r\nX-Decoy-Token: ${inside.token}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n${second}`),
    inside.raw(`${first}Upgrade: websocket\r\nContent-Length: ${second.length}\r\nConnection: Upgrade\r\n\r\n${second}`),
  ]);
  expect(received.filter((head) => head.includes(inside.token))).toEqual([]);
});

test.each([
  ['no HTTP at all', 'SSH-2.0-x\r\n', 502],
  ['an upgrade nobody asked for', 'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 502],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 502],
  ['a trailer for a body without chunks', 'HTTP/1.1 200 OK\r\nTrailer: x\r\nContent-Length: 2\r\n\r\nab', 502],
  ['a head that is too large', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`, 502],
  ['nothing', '', 502],
  ['a body without a length', 'HTTP/1.0 200 OK\r\n\r\nab', 200],
  ['bytes above ASCII in a header', 'HTTP/1.1 200 \xfcber\r\nX: \xff\r\nContent-Length: 2\r\n\r\nab', 200],
])('a server in the sandbox that answers with %s costs its own request alone', async (_, answer, status) => {
  await using inside = await openInside((socket) => answering(Buffer.from(answer, 'latin1') as unknown as string)(socket));
  for (let round = 0; round < 2; round++) expect((await fetch(inside.url, { headers: { 'x-decoy-token': inside.token } })).status).toBe(status);
});

test('an answer to a WebSocket\'s handshake is one, or is passed on, and nothing else', async () => {
  const accept = 'HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n';
  const ask = (token: string, protocol: string) => `GET / HTTP/1.1\r\nHost: x\r\nX-Decoy-Token: ${token}\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n\r\n`;
  await using switching = await openInside(answering(accept));
  expect(await switching.raw(ask(switching.token, 'h2c'))).toMatch(/^HTTP\/1\.1 502 /);
  await using refusing = await openInside(answering('HTTP/1.1 403 No\r\nX-Why: none\r\nContent-Length: 5\r\n\r\nsorry'));
  expect(await refusing.raw(ask(refusing.token, 'websocket'))).toMatch(/^HTTP\/1\.1 403 No\r\nX-Why: none\r\nconnection: close\r\n\r\nsorry$/);
});

test('where nobody listens yet the answer is 503, to be tried again', async () => {
  await using inside = await openInside(answering(''));
  inside.goDown();
  const answer = await fetch(inside.url, { headers: { 'x-decoy-token': inside.token } });
  expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '1', expect.stringContaining('port 8080')]);
});

test('WebSocket: messages both ways, with the token in a header or in the URL, and not in what the server sees', async () => {
  const seen: string[] = [];
  const server = http.createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    seen.push(JSON.stringify([request.url, request.rawHeaders]));
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await using inside = await openInside(toServer(server));
  const url = inside.url.replace('http', 'ws');
  for (const open of [() => new WebSocket(`${url}live`, { headers: { 'x-decoy-token': inside.token } }), () => new WebSocket(`${url.replace('://', `://any:${inside.token}@`)}live`)]) {
    const socket = open();
    await once(socket, 'open');
    for (const message of ['hello', 'long '.repeat(40_000)]) {
      socket.send(message);
      expect(String((await once(socket, 'message'))[0])).toBe(message);
    }
    socket.close(3001);
    expect((await once(socket, 'close'))[0]).toBe(3001);
  }
  expect(seen).toHaveLength(2);
  for (const request of seen) {
    expect(request).not.toContain(inside.token);
    expect(request).not.toContain(Buffer.from(`any:${inside.token}`).toString('base64'));
  }
});

test('events arrive at once, bodies whole, trailers too', async () => {
  let send!: (text: string) => void;
  const server = http.createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      send = (text) => void response.write(text);
      return send('data: 1\n\n');
    }
    response.writeHead(200, { trailer: 'x-sum' });
    request.on('data', (piece) => response.write(piece)).on('end', () => {
      response.addTrailers({ 'x-sum': '7' });
      response.end();
    });
  });
  await using inside = await openInside(toServer(server));
  const headers = { authorization: `Bearer ${inside.token}` };
  const events = (await fetch(`${inside.url}events`, { headers })).body!.getReader();
  expect(Buffer.from((await events.read()).value!).toString()).toBe('data: 1\n\n');
  send('data: 2\n\n');
  expect(Buffer.from((await events.read()).value!).toString()).toBe('data: 2\n\n');
  await events.cancel();
  const body = Buffer.alloc(3_000_000, 'abc');
  const request = http.request(inside.url, { method: 'POST', headers: { ...headers, expect: '100-continue' } });
  request.on('continue', () => request.end(body)).flushHeaders();
  const [answer] = await once(request, 'response') as [http.IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  expect([Buffer.concat(pieces).equals(body), answer.trailers]).toEqual([true, { 'x-sum': '7' }]);
});

test('connections have a limit; those above it are closed', async () => {
  await using inside = await openInside(answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const held = await Promise.all(Array.from({ length: MOST_CONNECTIONS }, async () => {
    const socket = net.connect(inside.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }));
  // The kernel has accepted them; the last answer shows that the server has, too.
  held.at(-1)!.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Decoy-Token: ${inside.token}\r\n\r\n`);
  await once(held.at(-1)!, 'data');
  const more = net.connect(inside.port, '127.0.0.1').on('error', () => {});
  await once(more, 'close');
  held.forEach((socket) => socket.destroy());
  expect(inside.usage()).toMatchObject({ connections: MOST_CONNECTIONS, requests: 1, refused: 1 });
});
