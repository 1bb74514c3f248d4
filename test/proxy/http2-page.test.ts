import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMarkdownTables } from '../policy/markdown-tables.ts';
import { acceptedHttp2Requests, refusedHttp2Requests } from './http2-requests.ts';
import { askHttp2, openBench, type Bench } from './open-bench.ts';
import { sendRawHttp2 } from './raw-http2.ts';
import { startRawUpstream, type RawUpstream } from './raw-upstream.ts';

const tables = parseMarkdownTables(readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8'));
const rowsBelow = (heading: string) => tables.find((table) => table.heading === heading)!.rows;
const refusals = new Map(rowsBelow('What is refused over HTTP/2').map(([request, answer, reason]) => [request!, { answer: answer!, reason: reason! }]));
const limits = new Map(rowsBelow('What an HTTP/2 connection may cost').map(([what, bound]) => [what!, bound!]));

let bench: Bench;
let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream(['api.test', 'other.test'], ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  bench = await openBench({ allow: ['api.test', 'other.test'], options: upstream.options });
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  upstream[Symbol.dispose]();
});

const open = () => bench.tls('api.test', { ALPNProtocols: ['h2'] });

test('the page has a row for each request, and each row a request', () => {
  expect([...refusals.keys()]).toEqual([...new Set(refusedHttp2Requests.map(([request]) => request))]);
  for (const [request, , , why] of rowsBelow('What is refused over HTTP/2')) expect(why, request).toMatch(/\w/);
  expect(rowsBelow('What is accepted over HTTP/2').map(([request]) => request)).toEqual([...new Set(acceptedHttp2Requests.map(([request]) => request))]);
});

test.each(refusedHttp2Requests)('refused: %s: %s', async (request, _, fields, options) => {
  const { answer, reason } = refusals.get(request)!;
  const before = { entries: bench.entries.length, upstream: upstream.received().length };
  const end = await sendRawHttp2(open(), fields, options);
  // Node 22 and newer may end the connection instead when the body turns out not to be as long as was said, and the refusal is an entry of its own.
  if (answer === 'reset' && end.kind === 'goaway') expect(options).toBeDefined();
  else if (answer === 'reset') expect(end).toEqual({ kind: 'reset', errorCode: constants.NGHTTP2_PROTOCOL_ERROR });
  else expect(end).toEqual({ kind: 'answered' });
  const entry = (await bench.entriesOf(before.entries + (end.kind === 'goaway' ? 2 : 1))).slice(before.entries).at(-1);
  expect(entry).toMatchObject({ host: 'api.test', reason, ...(answer === 'reset' ? {} : { status: Number(answer) }) });
  expect(entry!.decision).not.toBe('allowed');
  // Of a body that goes wrong, what came before may have arrived.
  if (options === undefined) expect(upstream.received().slice(before.upstream)).toBe('');
});

test.each(acceptedHttp2Requests)('accepted: %s: %s', async (_, _variant, fields, arrives) => {
  const before = upstream.received().length;
  expect(await sendRawHttp2(open(), fields)).toEqual({ kind: 'answered' });
  expect(upstream.received().slice(before)).toMatch(arrives);
});

describe('what a connection may cost', () => {
  test('is announced to clients as the page says it', async () => {
    const session = bench.http2('api.test');
    await once(session, 'remoteSettings');
    expect(session.remoteSettings).toMatchObject({ maxConcurrentStreams: Number(limits.get('requests at once')), enableConnectProtocol: false });
  });

  test('a refused request leaves the connection as good as before', async () => {
    const session = bench.http2('api.test');
    expect((await askHttp2(session, { ':authority': 'other.test' })).status).toBe(421);
    expect((await askHttp2(session, {})).status).toBe(200);
  });
});
