import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseMarkdownTables } from '../policy/markdown-tables.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { answers, type AnswerRow } from './framing-answers.ts';
import { ask, askHttp2, openBench, readAll, type Answer, type Bench } from './open-bench.ts';
import { startRawUpstream, type RawUpstream } from './raw-upstream.ts';

const { rows } = parseMarkdownTables(readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8')).find(({ heading }) => heading === 'What a server answers')!;
const outcomes = new Map(rows as [string, string][]);
const headers = { host: 'api.test' };

let bench: Bench;
let upstream: RawUpstream;
let current: Pick<AnswerRow, 'bytes' | 'afterwards'>;
beforeAll(async () => {
  upstream = await startRawUpstream(['api.test', 'bound.test'], ({ socket, received }) => {
    const request = received.subarray(received.lastIndexOf('GET ')).toString('latin1');
    if (!request.endsWith('\r\n\r\n')) return;
    if (request.startsWith('GET /next')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    if (current.afterwards === 'end') socket.end(current.bytes, 'latin1');
    else socket.write(current.bytes, 'latin1', () => void (current.afterwards === 'reset' && socket.destroy()));
  });
  const secrets = [boundSecret('KEY', 'a-real-value-of-a-secret', 'bound.test')];
  bench = await openBench({ allow: ['api.test', 'bound.test'], secrets, options: upstream.options });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

test('the page has a row for each answer, and each row an answer', () => {
  expect([...outcomes.keys()]).toEqual([...new Set(answers.map(({ answer }) => answer))]);
});

test.each(['api.test', 'bound.test'].flatMap((host) => answers.map((row) => [host, row.answer, row.variant, row] as const)))('%s: %s: %s', async (host, _, __, row) => {
  current = row;
  const before = bench.entries.length;
  const agent = bench.agentTo(host, { keepAlive: true, maxSockets: 1 });
  const outcome = await ask(agent, { headers: { host }, path: '/bad' }).catch((error: Error) => error);
  const [entry] = (await bench.entriesOf(before + 1)).slice(before);
  const [anywhere, expected = anywhere] = outcomes.get(row.answer)!.split('; from a host a secret is bound to: ').slice(0, host === 'bound.test' ? 2 : 1);
  const [, status, reason] = /^(\d{3}) (\S+)$/.exec(expected!) ?? [];
  if (status !== undefined) {
    expect(outcome).toMatchObject({ status: Number(status), headers: { 'x-decoy-blocked': reason } });
    expect(entry).toMatchObject({ decision: 'failed', reason, status: Number(status) });
  } else if (expected === 'a broken connection') {
    expect(outcome).toBeInstanceOf(Error);
    expect(entry).toMatchObject({ decision: 'failed', reason: 'upstream-unreachable' });
  } else {
    expectAnswer(outcome as Answer, Number(/HTTP\/1\.\d ([2-9]\d\d)/.exec(row.bytes)![1]));
    expect(entry).toMatchObject({ decision: 'allowed', reason: null });
  }
  // Over the client's connection, if it is still there, and whatever was left of the one to the server.
  await turn();
  const next = await ask(agent, { headers: { host }, path: '/next' });
  expect([next.status, next.body.toString()]).toEqual([200, 'next']);
});

test('an answer that comes when none is asked for reaches nobody', async () => {
  current = { afterwards: 'keep', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi' };
  let server: Socket | null = null;
  using late = await startRawUpstream(['api.test'], ({ socket }) => {
    server = socket;
    socket.write(current.bytes);
  });
  await using other = await openBench({ allow: ['api.test'], options: late.options });
  const agent = other.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
  expect((await ask(agent, { headers })).body.toString()).toBe('hi');
  const first = server! as Socket;
  const gone = once(first, 'close');
  first.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL');
  await gone;
  expect((await ask(agent, { headers })).body.toString()).toBe('hi');
  expect(server).not.toBe(first);
});

test('an HTTP/1.0 client gets an answer in chunks as plain bytes that the end of the connection ends', async () => {
  current = { afterwards: 'keep', bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\r\n!!\r\n0\r\n\r\n' };
  const socket = bench.plain('api.test');
  socket.write('GET /bad HTTP/1.0\r\nHost: api.test\r\nConnection: keep-alive\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^(?![^]*chunked)HTTP\/1.1 200 OK\r\n[^]*Connection: close[^]*\r\n\r\nhi!!$/);
});

function expectAnswer(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.body.toString()).toBe(status === 204 || status === 304 ? '' : 'hi');
  for (const name of ['alt-svc', 'x-decoy-blocked', 'x-hop', 'link']) expect(answer.headers).not.toHaveProperty(name);
  if (status === 204) expect(answer.headers).not.toHaveProperty('content-length');
  expect(answer.trailers).toEqual({});
}

test.each([
  ['with a length', 'GET', '1.1', '200 OK\r\nContent-Length: 2', 'hi'], ['to HEAD', 'HEAD', '1.1', '200 OK\r\nContent-Length: 2', ''], ['that ends with its connection', 'GET', '1.0', '200 OK', 'hi'],
  ['204', 'GET', '1.1', '204 No Content', ''], ['304', 'GET', '1.1', '304 Not Modified', ''],
])('an answer that announces trailers where it has none ends nothing: %s', async (_, method, version, head, body) => {
  using announcing = await startRawUpstream(['api.test', 'bound.test'], ({ socket }) => void socket.end(`HTTP/1.1 ${head}\r\nTrailer: x-sum\r\nConnection: close\r\n\r\n${body}`));
  const secrets = [boundSecret('KEY', 'a-real-value-of-a-secret', 'bound.test')];
  await using other = await openBench({ allow: ['api.test', 'bound.test'], secrets, options: announcing.options });
  for (const host of ['api.test', 'bound.test']) {
    const client = other.tls(host);
    client.write(`${method} / HTTP/${version}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const received = (await readAll(client)).toString();
    expect(received.startsWith(`HTTP/1.1 ${head.slice(0, 3)}`)).toBe(true);
    expect(received).toContain(body);
    const overHttp2 = await askHttp2(other.http2(host), { ':method': method, ':path': '/', ':authority': host });
    expect([overHttp2.status, overHttp2.body.toString()]).toEqual([Number(head.slice(0, 3)), body]);
  }
  expect(await other.entriesOf(4)).toEqual(Array(4).fill(expect.objectContaining({ decision: 'allowed', reason: null })));
});
