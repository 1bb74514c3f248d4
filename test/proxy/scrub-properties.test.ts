import http from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bodyWith, bodyWithout, chunkLengths, cutAt } from '../secrets/arbitraries.ts';
import { boundSecret } from '../secrets/bound-secret.ts';
import { canBeReadIn, writtenForms } from '../secrets/written-forms.ts';
import { encodeBody } from './encode-body.ts';
import { ask, openBench, type Bench } from './open-bench.ts';

const value = 'sk-real/0123+45="<&>\\mnopQRST';
const codings = ['', 'gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'zstd, gzip'];

let chunks: Buffer[] = [];
let coding = '';
let received: Buffer = Buffer.alloc(0);
let bench: Bench;
let agent: http.Agent;
beforeAll(async () => {
  bench = await openBench({
    secrets: [boundSecret('KEY', value, 'api.test')], allow: [],
    upstream: async (request, response) => {
      const body: Buffer[] = [];
      for await (const chunk of request) body.push(chunk as Buffer);
      received = Buffer.concat(body);
      if (coding !== '') response.setHeader('content-encoding', coding);
      for (const chunk of chunks) await inItsOwnPacket(response, chunk);
      response.end();
    },
  });
  agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
});
afterAll(() => bench[Symbol.asyncDispose]());

async function inItsOwnPacket(stream: NodeJS.WritableStream, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve) => stream.write(chunk, () => resolve()));
  await new Promise(setImmediate);
}

async function answerOf(body: Buffer, lengths: readonly number[]): Promise<Buffer> {
  chunks = cutAt(coding === '' ? body : encodeBody(body, coding), lengths);
  const answer = await ask(agent, { headers: { host: 'api.test', 'accept-encoding': 'gzip, deflate, br, zstd' } });
  expect(answer.status).toBe(200);
  return answer.body;
}

test('an answer without a secret arrives the same to the byte, in any coding and any chunks', async () => {
  await fc.assert(fc.asyncProperty(bodyWithout(value), fc.constantFrom(...codings), chunkLengths, async (body, codingOfBody, lengths) => {
    coding = codingOfBody;
    expect((await answerOf(body, lengths)).equals(body)).toBe(true);
  }), { numRuns: 100 });
}, 60_000);

test('no form of a secret arrives, in any coding and any chunks', async () => {
  await fc.assert(fc.asyncProperty(bodyWith(value), fc.constantFrom(...codings), chunkLengths, async (body, codingOfBody, lengths) => {
    coding = codingOfBody;
    const arrived = await answerOf(body, lengths);
    expect(writtenForms(value).filter(({ text }) => arrived.includes(Buffer.from(text, 'latin1')))).toEqual([]);
    for (const piece of arrived.toString('latin1').split('\0\0')) expect(canBeReadIn(piece, value)).toBe(false);
    coding = '';
    expect((await answerOf(body, [body.length + 1])).equals(arrived)).toBe(true);
  }), { numRuns: 100 });
}, 60_000);

test.each(['raw', 'encodeURIComponent', 'JSON', 'base64 between "u" and "\\n"', 'base64url between "" and ""', 'hex', 'HTML', 'UTF-16, little-endian'])('%s cut at every offset does not arrive', async (name) => {
  const body = Buffer.from(`<${writtenForms(value).find((form) => form.name === name)!.text}>`, 'latin1');
  coding = '';
  const whole = await answerOf(body, [body.length]);
  expect(canBeReadIn(whole.toString('latin1'), value)).toBe(false);
  for (let at = 1; at < body.length; at += 1) expect((await answerOf(body, [at, body.length - at])).equals(whole), `cut at ${at}`).toBe(true);
}, 60_000);

test('a request body without a secret arrives the same to the byte, in any coding and any chunks', async () => {
  chunks = [Buffer.from('ok')];
  await fc.assert(fc.asyncProperty(bodyWithout(value), fc.constantFrom(...codings), chunkLengths, async (body, codingOfBody, lengths) => {
    coding = '';
    const sent = codingOfBody === '' ? body : encodeBody(body, codingOfBody);
    const request = http.request({ agent, method: 'POST', headers: { host: 'api.test', ...(codingOfBody === '' ? {} : { 'content-encoding': codingOfBody }) } });
    const answered = new Promise<http.IncomingMessage>((resolve, reject) => void request.once('response', resolve).once('error', reject));
    for (const chunk of cutAt(sent, lengths)) await inItsOwnPacket(request, chunk);
    request.end();
    const response = await answered;
    for await (const _ of response);
    expect([response.statusCode, received.equals(sent)]).toEqual([200, true]);
  }), { numRuns: 100 });
}, 60_000);
