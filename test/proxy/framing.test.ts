import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMarkdownTables } from '../policy/markdown-tables.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { acceptedRequests, host, refusedRequests, smuggled } from './framing-requests.ts';
import { openBench, readAll, type Bench } from './open-bench.ts';
import { startRawUpstream, type RawUpstream } from './raw-upstream.ts';

const tables = parseMarkdownTables(readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8'));
const rowsBelow = (heading: string) => tables.find((table) => table.heading === heading)!.rows;
const refusals = new Map(rowsBelow('What is refused').map(([request, status, reason, connection]) => [request!, { status: Number(status), reason: reason!, connection: connection! }]));
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`;

let bench: Bench;
let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream(['api.test', 'other.test'], ({ socket, received }) => {
    if (isWhole(received.toString('latin1'))) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  bench = await openBench({ allow: ['api.test', 'other.test'], options: upstream.options });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

test('the page has a row for each request, and each row a request', () => {
  expect([...refusals.keys()]).toEqual([...new Set(refusedRequests.map(([request]) => request))]);
  for (const [request, , , , why] of rowsBelow('What is refused')) expect(why, request).toMatch(/\w/);
  const accepted = new Set([...acceptedRequests.map(([request]) => request), 'requests sent before the answer to the last']);
  expect(new Set(rowsBelow('What is accepted').map(([request]) => request))).toEqual(accepted);
});

describe.each(['https', 'http'] as const)('over %s', (scheme) => {
  const open = (): Socket => (scheme === 'https' ? bench.tls('api.test') : bench.plain('api.test'));

  test.each(refusedRequests)('refused: %s: %s', async (request, variant, bytes) => {
    const { status, reason, connection } = refusals.get(request)!;
    const before = { entries: bench.entries.length, upstream: upstream.received().length };
    const socket = open();
    socket.write(connection === 'ends' ? bytes + smuggled : bytes, 'latin1');
    const answer = connection === 'ends' ? (await readAll(socket)).toString('latin1') : await readAnswer(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*x-decoy-blocked: ${reason}\r\n`));
    const [entry] = (await bench.entriesOf(before.entries + 1)).slice(before.entries);
    expect(entry).toMatchObject({ reason, status });
    expect(entry!.decision, variant).not.toBe('allowed');
    const arrived = upstream.received().slice(before.upstream);
    expect(arrived).not.toContain('smuggled');
    // Of a body that goes wrong, the beginning may have arrived before that is known.
    if (!/chunk|trailer|64 KiB/.test(request)) expect(arrived).toBe('');
    if (connection === 'ends') return;
    socket.write(get('/next'));
    expect(await readAnswer(socket)).toMatch(/^HTTP\/1.1 200 [^]*ok$/);
    socket.destroy();
  });

  test.each(acceptedRequests)('accepted: %s: %s', async (_, variant, bytes, arrives) => {
    const before = upstream.received().length;
    const socket = open();
    socket.write(bytes.replace('SCHEME', scheme).replace('PORT', scheme === 'https' ? '443' : '80'), 'latin1');
    const answer = (await readAll(socket)).toString('latin1');
    expect(answer).toMatch(/^(?:HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nok$/);
    expect(answer.includes('100 Continue')).toBe(variant === 'with a body');
    expect(upstream.received().slice(before)).toMatch(arrives);
  });

  test('HTTP/1.0 that asks to be kept alive is, and gets no chunks', async () => {
    const socket = open();
    const head = `HTTP/1.0\r\n${host}Connection: keep-alive\r\n`;
    socket.write(`POST /p ${head}Content-Length: 5\r\n\r\nhello`);
    expect(await readAnswer(socket)).toMatch(/^(?![^]*chunked)HTTP\/1.1 200 [^]*Connection: keep-alive[^]*ok$/);
    socket.write(`GET /q ${head}\r\n`);
    expect(await readAnswer(socket)).toMatch(/200 [^]*ok$/);
    socket.destroy();
  });

  test('behind a request that ends the connection, nothing is read, and the answer still comes', async () => {
    const before = upstream.received().length;
    const socket = open();
    socket.write(`GET /p HTTP/1.1\r\n${host}Connection: close\r\n\r\n${smuggled}`);
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 200 [^]*ok$/);
    expect(upstream.received().slice(before)).not.toContain('smuggled');
  });

  test('a refused body is not taken for a request, and one that is too long to be read ends the connection', async () => {
    const before = upstream.received().length;
    const socket = open();
    const body = smuggled.repeat(2_000);
    socket.write(`POST /p HTTP/1.1\r\nHost: other.test\r\nContent-Length: ${body.length}\r\n\r\n${body}${smuggled}`);
    expect((await readAll(socket)).toString()).toMatch(/^HTTP\/1.1 421 (?![^]*HTTP\/1.1)/);
    expect(upstream.received().slice(before)).toBe('');
  });

  test('bytes behind a whole request that waits for its answer end both', async () => {
    const before = bench.entries.length;
    const socket = open();
    socket.write(`POST /p HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello${'\0'.repeat(10)}${smuggled}`);
    expect((await readAll(socket)).toString()).not.toContain('smuggled');
    expect((await bench.entriesOf(before + 2)).slice(before)).toContainEqual(expect.objectContaining({ decision: 'blocked', reason: 'bad-request', status: 400 }));
  });

  test('a client that leaves in the middle of a body takes the request with it', async () => {
    const before = bench.entries.length;
    const socket = open();
    socket.end(`POST /p HTTP/1.1\r\n${host}Content-Length: 50\r\n\r\nhello`);
    await once(socket.resume(), 'close');
    expect((await bench.entriesOf(before + 1))[before]).toMatchObject({ decision: 'blocked', reason: 'bad-request' });
  });
});

test.each([['x_http_method_override', 'DELETE'], ['X_HTTP-Method_Override', 'delete'], ['x_rewrite_url', '/private']])('%s counts as its namesake with hyphens', async (name, value) => {
  await using narrow = await openBench({ allow: ['GET api.test/v1/**'], options: upstream.options });
  const socket = narrow.tls('api.test');
  socket.write(`GET /v1/x HTTP/1.1\r\n${host}${name}: ${value}\r\n\r\n`);
  expect(await readAnswer(socket)).toMatch(/^HTTP\/1.1 403 /);
  socket.destroy();
});

test('no range is asked of a host a secret is bound to', async () => {
  await using bound = await openBench({ secrets: [boundSecret('KEY', 'a-real-value-of-a-secret', 'api.test')], options: upstream.options });
  const before = upstream.received().length;
  const socket = bound.tls('api.test');
  socket.write(`GET /p HTTP/1.1\r\n${host}Range: bytes=0-1\r\nIf-Range: "x"\r\n\r\n`);
  await once(socket, 'data');
  expect(upstream.received().slice(before)).toMatch(/^(?![^]*[Rr]ange)GET \/p/);
  socket.destroy();
});

/** The first answer of a connection that stays open. */
async function readAnswer(socket: Socket): Promise<string> {
  let text = '';
  for (;;) {
    const [, head, length] = /^([^]*?content-length: (\d+)[^]*?\r\n\r\n)/i.exec(text) ?? [];
    if (head !== undefined && text.length >= head.length + Number(length)) return text;
    const [chunk] = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => { throw new Error(`closed after ${JSON.stringify(text)}`); })]) as [Buffer];
    text += chunk.toString('latin1');
  }
}

/** Whether the last request that came is whole: the proxy writes them plainly. */
function isWhole(text: string): boolean {
  const at = Math.max(...['GET /', 'POST /', 'OPTIONS /', 'HEAD /', 'TRACE /'].map((start) => text.lastIndexOf(start)));
  const [head, body = null] = text.slice(at).split(/\r\n\r\n([^]*)/);
  if (body === null) return false;
  if (/\r\ntransfer-encoding: chunked/i.test(head!)) return body.endsWith('0\r\n\r\n');
  return body.length >= Number(/\r\ncontent-length: (\d+)/i.exec(head!)?.[1] ?? 0);
}
