import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { boundSecret } from '../secrets/bound-secret.ts';
import { writtenForms, type WrittenForm } from '../secrets/written-forms.ts';
import { encodeBody } from './encode-body.ts';
import { openBench, type Bench } from './open-bench.ts';

const secret = boundSecret('KEY', 'sk-real/0123+45="<&>\\mnopQRST', 'api.test');
const kinds = [['placeholder', secret.placeholder, 'placeholder-wrong-place'], ['real value', secret.value, 'real-secret-leaving']] as const;

let bench: Bench;
let received: Buffer[] = [];
beforeAll(async () => {
  bench = await openBench({ secrets: [secret], allow: [], upstream: (request, response) => void request.resume().once('end', () => response.end('ok')).once('error', () => undefined) });
  bench.servers.https.on('secureConnection', (socket: TLSSocket) => {
    socket.on('data', (chunk: Buffer) => void received.push(chunk));
  });
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(() => {
  received = [];
});

const arrived = (): string => Buffer.concat(received).toString('latin1');

/** Sends the pieces one by one and gives what is answered, up to the end of the refusal. */
function isWhole(answer: string): boolean {
  const bodyAt = answer.indexOf('\r\n\r\n') + 4;
  const length = /\r\ncontent-length: ([0-9]+)\r\n/i.exec(answer.slice(0, bodyAt))?.[1];
  return length === undefined ? /\}\n$|\r\n0\r\n\r\n$/.test(answer) : bodyAt > 3 && answer.length >= bodyAt + Number(length);
}

async function send(pieces: (string | Buffer)[]): Promise<string> {
  const socket = bench.tls('api.test');
  await once(socket, 'secureConnect');
  let answer = '';
  const answered = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (isWhole(answer)) resolve();
    }).on('error', () => resolve()).on('close', () => resolve());
  });
  for (const piece of pieces) {
    await new Promise<void>((resolve) => socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, () => resolve()));
    await new Promise(setImmediate);
  }
  await answered;
  socket.destroy();
  return answer;
}

function expectBlocked(answer: string, { reason, form, clear }: { reason: string; form: string; clear: string }): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 403 [^]*"reason":"${reason}"[^]*"secret":"KEY"`));
  expect(answer).not.toContain(clear);
  expect(arrived()).not.toContain(form);
}

const head = (lines: string[], line = 'GET / HTTP/1.1') => `${[line, 'Host: api.test', ...lines].join('\r\n')}\r\n\r\n`;
const inChunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** Where a header's, a path's or a body's text may stand; null where the text cannot. */
const places: [string, (form: WrittenForm) => string[] | null][] = [
  ['the path', ({ text }) => (isUrlText(text) ? [head([], `GET /a/${text}/b HTTP/1.1`)] : null)],
  ['the query', ({ text }) => (isUrlText(text) ? [head([], `GET /?a=b&key=${text}&c HTTP/1.1`)] : null)],
  ['a header', ({ text, isText }) => (isText ? [head([`X-Note: a ${text} b`])] : null)],
  ['a cookie', ({ text, isText }) => (isText ? [head([`Cookie: a=${text}; b=c`])] : null)],
  ['a header name', ({ text }) => (/^[\w-]+$/.test(text) ? [head([`X-${text}: a`])] : null)],
  ['a credential header, encoded', ({ name, text, isText }) => (isText && name !== 'raw' ? [head([`Authorization: Bearer ${text}`])] : null)],
  ['a body with a length', ({ text }) => [head([`Content-Length: ${text.length + 2}`], 'POST / HTTP/1.1') + `"${text}"`]],
  ['a body in chunks of one byte', ({ text }) => [head(['Transfer-Encoding: chunked'], 'POST / HTTP/1.1') + Array.from(`"${text}"`, inChunk).join(''), '0\r\n\r\n']],
  ['a body, packet by packet', ({ text }) => [head([`Content-Length: ${text.length + 2}`], 'POST / HTTP/1.1'), ...cut(`"${text}"`, 7)]],
  ['a body that is coded', ({ text }) => {
    const body = encodeBody(Buffer.from(`"${text}"`, 'latin1'), 'gzip,zstd').toString('latin1');
    return [head([`Content-Length: ${body.length}`, 'Content-Encoding: gzip, zstd'], 'POST / HTTP/1.1'), ...cut(body, 11)];
  }],
];

describe.each(kinds)('a %s in any encoding is blocked before its last byte leaves', (_, clear, reason) => {
  // Each text once, and as `raw` where a form escapes nothing of it.
  const forms = [...new Map(writtenForms(clear).reverse().map((form) => [form.text, form])).values()];
  describe.each(places)('in %s', (place, write) => {
    const rows = forms.map((form) => ({ form, pieces: write(form) })).filter((row): row is { form: WrittenForm; pieces: string[] } => row.pieces !== null);
    test.each(rows.map((row) => [row.form.name, row] as const))(`${place}: %s`, async (__, { form, pieces }) => {
      expectBlocked(await send(pieces), { reason, form: form.text, clear });
    });
  });
});

test.each([['the user name', `${secret.value}:x`], ['the password', `x:${secret.value}`], ['both', `${secret.value}:${secret.value}`]])('a real value in %s of Basic credentials is blocked', async (_, pair) => {
  const answer = await send([head([`Authorization: Basic ${Buffer.from(pair).toString('base64')}`])]);
  expectBlocked(answer, { reason: 'real-secret-leaving', form: Buffer.from(pair).toString('base64'), clear: secret.value });
});

test.each(['Cookie', 'X-Note', 'Proxy-Authorization'])('a placeholder in Basic credentials of %s is blocked', async (name) => {
  const pair = Buffer.from(`x:${secret.placeholder}`).toString('base64');
  expectBlocked(await send([head([`${name}: Basic ${pair}`])]), { reason: 'placeholder-wrong-place', form: pair, clear: secret.placeholder });
});

test.each(kinds)('a %s cut at any place of a body never arrives whole', async (_, clear, reason) => {
  for (let at = 1; at < clear.length; at += 1) {
    received = [];
    const answer = await send([head([`Content-Length: ${clear.length}`], 'POST / HTTP/1.1'), clear.slice(0, at), clear.slice(at)]);
    expectBlocked(answer, { reason, form: clear, clear });
  }
});

test.each(kinds)('a %s in a trailer over HTTP/1.1 does not arrive, as no trailer does', async (_, clear) => {
  const answer = await send([`${head(['Transfer-Encoding: chunked', 'Trailer: x-t'], 'POST / HTTP/1.1')}${inChunk('hi')}`, `0\r\nX-T: ${clear}\r\n\r\n`]);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(arrived()).toContain('hi');
  expect(arrived()).not.toContain(clear);
});

function isUrlText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && !/[#"<>\\]/.test(text);
}

function cut(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, at) => text.slice(at * length, (at + 1) * length));
}
