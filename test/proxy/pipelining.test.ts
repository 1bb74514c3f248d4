import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { openBench, readAll } from './open-bench.ts';

const get = (path: string, host = 'api.test') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

test('requests sent without waiting are answered in their order', async () => {
  await using bench = await openBench({ upstream: (request, response) => void setTimeout(() => response.end(request.url), request.url === '/0' ? 50 : 0) });
  const socket = bench.tls('api.test');
  socket.write(Array.from({ length: 10 }, (_, at) => get(`/${at}`)).join(''));
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.includes('/9')) break;
  }
  expect(text.match(/^\/\d/gm) ?? text.match(/\/\d/g)).toEqual(['/0', '/1', '/2', '/3', '/4', '/5', '/6', '/7', '/8', '/9']);
});

test('a connection with more than sixteen of them is cut, and that is told', async () => {
  await using bench = await openBench({ upstream: () => undefined });
  const socket = bench.tls('api.test');
  socket.on('error', () => undefined);
  socket.write(Array.from({ length: 500 }, (_, at) => get(`/${at}`)).join(''));
  expect(await readAll(socket)).toHaveLength(0);
  // The seventeenth ends the connection; those that were under way end with it, and those behind it never began.
  const entries = await bench.entriesOf(17);
  expect(entries.filter(({ reason }) => reason === 'capacity')).toMatchObject([{ method: 'GET', decision: 'blocked', status: 429 }]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(entries).toHaveLength(17);
});

test('when the client goes, every waiting request ends, and its upstream is told', async () => {
  const waiting: ServerResponse[] = [];
  let ended = 0;
  let wake = () => {};
  await using bench = await openBench({
    upstream: (_, response) => {
      waiting.push(response);
      response.once('close', () => {
        ended += 1;
        wake();
      });
      wake();
    },
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => { wake = resolve; });
  };
  const socket = bench.tls('api.test');
  await once(socket, 'secureConnect');
  socket.write(Array.from({ length: 8 }, (_, at) => get(`/${at}`)).join(''));
  await until(() => waiting.length === 8);
  socket.destroy();
  expect((await bench.entriesOf(8)).map(({ path }) => path).sort()).toEqual(['/0', '/1', '/2', '/3', '/4', '/5', '/6', '/7']);
  await until(() => ended === 8);
});

test.each([
  ['x-http-method-override', 'DELETE', 'method-not-allowed'], ['X-HTTP-Method', 'delete', 'method-not-allowed'], ['x-method-override', 'GET, DELETE', 'method-not-allowed'],
  ['x-original-url', '/admin', 'path-not-allowed'], ['x-original-url', '/v1/,/v1/admin', 'path-not-allowed'], ['x-rewrite-url', 'https://api.test/admin?x=1', 'path-not-allowed'],
])('%s: %s, which makes it another request, is judged as that one too', async (name, value, reason) => {
  await using bench = await openBench({ allow: ['GET api.test/v1/*', 'GET api.test/v1/'], upstream: (_, response) => void response.end('answered') });
  const ask = async (header: string) => {
    const socket = bench.tls('api.test');
    socket.write(`GET /v1/x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n${header}\r\n\r\n`);
    return (await readAll(socket)).toString();
  };
  expect(await ask(`${name}: ${value}`)).toMatch(new RegExp(`^HTTP/1.1 403[^]*"reason":"${reason}"`));
  const harmless = reason === 'path-not-allowed' ? '/v1/y' : 'GET';
  expect(await ask(`${name}: ${harmless}`)).toContain('answered');
});
