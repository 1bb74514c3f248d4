import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, openBench, readAll } from './open-bench.ts';

test('a GET over TLS comes back byte for byte, with header case, order and duplicates kept both ways', async () => {
  let seen: string[] = [];
  await using bench = await openBench({
    upstream: (request, response) => {
      seen = request.rawHeaders;
      response.sendDate = false;
      response.writeHead(200, 'Very Fine', ['X-B', '1', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'ETag', '"x"', 'Content-Length', '5', 'Alt-Svc', 'h3=":443"']);
      response.end('hello');
    },
  });
  const answer = await ask(bench.agentTo('api.test'), {
    headers: ['Host', 'api.test', 'X-One', '1', 'x-two', '2', 'X-One', '3', 'Connection', 'x-hop', 'X-Hop', '1', 'Proxy-Authorization', 'x'] as never,
    path: '/v1?q=1',
  });
  expect(answer.body.toString()).toBe('hello');
  expect(answer.rawHeaders.slice(0, 10)).toEqual(['X-B', '1', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'ETag', '"x"', 'Content-Length', '5']);
  expect(answer.headers['alt-svc']).toBeUndefined();
  expect(seen.filter((_, i) => i % 2 === 0 && seen[i] !== 'connection')).toEqual(['host', 'X-One', 'x-two', 'X-One']);
  const [entry] = await bench.entriesOf(1);
  expect(entry).toMatchObject({
    protocol: 'https', method: 'GET', host: 'api.test', port: 443, path: '/v1', decision: 'allowed', rule: 'api.test', reason: null,
    status: 200, requestBytes: 0, responseBytes: 5,
  });
});

test('plain HTTP is forwarded as plain HTTP', async () => {
  await using bench = await openBench({ upstream: (_, response) => void response.end('plain') });
  const socket = bench.plain('api.test');
  socket.write('GET /x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
  expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*plain/);
  expect((await bench.entriesOf(1))[0]).toMatchObject({ protocol: 'http', port: 80, status: 200 });
});

test('an HTTP/1.0 client without Host is served, and its connection closed after the answer', async () => {
  await using bench = await openBench({ upstream: (request, response) => void response.end(`for ${request.headers.host}`) });
  const socket = bench.plain('api.test');
  socket.write('GET /x HTTP/1.0\r\n\r\n');
  const text = (await readAll(socket)).toString();
  expect(text).toMatch(/for api\.test$/);
  expect(text.toLowerCase()).not.toContain('transfer-encoding');
});

test('the absolute form is forwarded in origin form', async () => {
  await using bench = await openBench({ upstream: (request, response) => void response.end(request.url) });
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' }, path: 'https://API.test:443/p?q' });
  expect(answer.body.toString()).toBe('/p?q');
});

test.each([
  ['POST with a length', 'POST', { 'content-length': '4' }, 'body', /^POST 4 body$/],
  // A short chunked body may have ended before the connection is there: then its length is known.
  ['POST in chunks', 'POST', { 'transfer-encoding': 'chunked' }, 'body', /^POST (chunked|4) body$/],
  ['POST of nothing', 'POST', { 'content-length': '0' }, '', /^POST 0 $/],
  ['DELETE with a body', 'DELETE', { 'content-length': '4' }, 'body', /^DELETE 4 body$/],
  ['a method of its own', 'REPORT', {}, '', /^REPORT none $/],
])('%s', async (_, method, headers, body, seen) => {
  await using bench = await openBench({
    upstream: async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.end(`${request.method} ${request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? 'none'} ${Buffer.concat(chunks).toString()}`);
    },
  });
  const answer = await ask(bench.agentTo('api.test'), { method, headers: { host: 'api.test', ...headers }, ...(body === '' ? {} : { body }) });
  expect(answer.body.toString()).toMatch(seen);
});

test.each([
  ['HEAD keeps the length it was told', 'HEAD', 200, { 'content-length': '1234' }, '1234'],
  ['204 has no body', 'GET', 204, {}, undefined],
  ['304 keeps its headers', 'GET', 304, { etag: '"e"' }, undefined],
])('%s', async (_, method, status, headers, length) => {
  await using bench = await openBench({ upstream: (_request, response) => void response.writeHead(status, headers as http.OutgoingHttpHeaders).end() });
  const agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 2; i++) {
    const answer = await ask(agent, { method, headers: { host: 'api.test' } });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-length']).toBe(length);
    expect(answer.body.length).toBe(0);
  }
});

test('trailers of an answer arrive', async () => {
  await using bench = await openBench({
    upstream: (_, response) => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    },
  });
  const answer = await ask(bench.agentTo('api.test'), { headers: { host: 'api.test', te: 'trailers' } });
  expect(answer.trailers).toEqual({ 'x-sum': '42' });
});

test('Expect: 100-continue: the body is asked for, and sent', async () => {
  await using bench = await openBench({ upstream: (request, response) => void request.pipe(response) });
  const request = http.request({ agent: bench.agentTo('api.test'), method: 'POST', headers: { host: 'api.test', expect: '100-continue', 'content-length': '2' } });
  request.flushHeaders();
  await once(request, 'continue');
  request.end('ok');
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  expect((await readAll(response)).toString()).toBe('ok');
});

test('one connection upstream serves many requests of many clients', async () => {
  const connections = new Set<unknown>();
  await using bench = await openBench({
    upstream: (request, response) => {
      connections.add(request.socket);
      response.end('x');
    },
  });
  for (let i = 0; i < 5; i++) expect((await ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).status).toBe(200);
  expect(connections.size).toBe(1);
});

test('a GET into a connection the upstream has just closed is sent once more; a POST is not', async () => {
  let requests = 0;
  await using bench = await openBench({
    upstream: (request, response) => {
      requests++;
      if (requests > 1 && request.headers['x-drop'] === 'once' && requests < 3) return void request.socket.destroy();
      if (request.headers['x-drop'] === 'always') return void request.socket.destroy();
      response.end('x');
    },
  });
  const agent = bench.agentTo('api.test');
  await ask(agent, { headers: { host: 'api.test' } });
  expect((await ask(agent, { headers: { host: 'api.test', 'x-drop': 'once' } })).status).toBe(200);
  expect(requests).toBe(3);
  expect((await ask(agent, { method: 'POST', headers: { host: 'api.test', 'x-drop': 'always' }, body: 'x' })).status).toBe(502);
  expect(requests).toBe(4);
});

test('an upstream that breaks off breaks the client off: a short body never looks complete', async () => {
  await using bench = await openBench({
    upstream: (_, response) => {
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    },
  });
  await expect(ask(bench.agentTo('api.test'), { headers: { host: 'api.test' } })).rejects.toThrow();
  expect((await bench.entriesOf(1))[0]).toMatchObject({ decision: 'failed', reason: 'upstream-unreachable', responseBytes: 4 });
});

test('a client that goes away takes the upstream request with it', async () => {
  let closed: Promise<unknown> = Promise.resolve();
  let arrived: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => { arrived = resolve; });
  await using bench = await openBench({
    upstream: (request, response) => {
      closed = once(response, 'close');
      response.write('x');
      arrived();
      void request;
    },
  });
  const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } });
  request.on('error', () => undefined).end();
  await arrival;
  request.destroy();
  await closed;
  await bench.entriesOf(1);
});

test('an answer that comes before the upload is over is passed on', async () => {
  await using bench = await openBench({
    upstream: (_, response) => void response.writeHead(413, { connection: 'close' }).end('too large'),
  });
  const request = http.request({ agent: bench.agentTo('api.test'), method: 'POST', headers: { host: 'api.test', 'content-length': String(1 << 26) } });
  request.on('error', () => undefined);
  request.write(Buffer.alloc(1 << 16));
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  expect(response.statusCode).toBe(413);
  request.destroy();
});

test('the first server-sent event does not wait for the second', async () => {
  let finish: () => void = () => undefined;
  await using bench = await openBench({
    upstream: (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      setTimeout(() => response.write('data: 1\n\n'), 30);
      finish = () => response.end();
    },
  });
  const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } }).end();
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const startedAt = performance.now();
  const [chunk] = await once(response, 'data');
  expect(String(chunk)).toBe('data: 1\n\n');
  expect(performance.now() - startedAt).toBeLessThan(500);
  finish();
});

test('disposal is quick, closes what is open, and may be repeated', async () => {
  await using bench = await openBench();
  const hanging = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } }).end();
  const broken = once(hanging, 'error');
  await wait(50);
  const startedAt = performance.now();
  await bench.proxy[Symbol.asyncDispose]();
  await bench.proxy[Symbol.asyncDispose]();
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  await broken;
});
