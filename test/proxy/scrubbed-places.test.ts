import { once } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundSecret } from '../secrets/bound-secret.ts';
import { canBeReadIn, writtenForms } from '../secrets/written-forms.ts';
import { encodeBody } from './encode-body.ts';
import { openBench, type Bench } from './open-bench.ts';

/** Of ASCII alone, with what encoders treat differently; and beyond ASCII. */
const values = ['sk-real/0123+45="<&>\\mnopQRST', 'pässwörd & 🔑/+~9'];
const secrets = values.map((value, at) => boundSecret(`KEY_${at}`, value, 'api.test'));
const codings = ['', 'gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'zstd, zstd, deflate'];
type Echo = { text: string; isText: boolean; coding: string };

let echo: Echo;
let bench: Bench;
let agent: http.Agent;
beforeAll(async () => {
  bench = await openBench({
    secrets, allow: [],
    upstream: (_, response) => {
      const { text, isText, coding } = echo;
      const inHeader = isText ? text : 'none';
      response.writeHead(401, `No ${inHeader} key`, {
        trailer: 'x-trailer', 'x-echo': `a ${inHeader} b`, location: `https://api.test/?key=${inHeader}&x`, 'set-cookie': [`a=${inHeader}; Path=/`, 'b=2'],
        ...(coding === '' ? {} : { 'content-encoding': coding }),
      });
      const body = Buffer.from(`{"before":1,"echo":"${text}","after":2}`, 'latin1');
      response.write(coding === '' ? body : encodeBody(body, coding));
      response.addTrailers({ 'x-trailer': `a ${inHeader} b` });
      response.end();
    },
  });
  agent = bench.agentTo('api.test', { keepAlive: true, maxSockets: 1 });
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Every place in which a value may come back, by name. */
async function askForPlaces(): Promise<Record<string, string>> {
  const request = http.request({ agent, headers: { host: 'api.test', 'accept-encoding': 'gzip, br, zstd, deflate' } }).end();
  const [response] = await once(request, 'response') as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  expect(response.statusCode).toBe(401);
  expect(response.headers['content-encoding']).toBeUndefined();
  return {
    'reason phrase': response.statusMessage!, header: response.headers['x-echo'] as string, location: response.headers.location!,
    cookie: response.headers['set-cookie']!.join('\n'), trailer: response.trailers['x-trailer']!, body: Buffer.concat(chunks).toString('latin1'),
  };
}

describe.each(values)('%s', (value) => {
  describe.each(codings)('in a body coded with "%s", and around it', (coding) => {
    test.each(writtenForms(value).map((form) => [form.name, form] as const))('%s', async (_, { text, isText }) => {
      expect(canBeReadIn(`"${text}"`, value), 'the test itself can read it').toBe(true);
      echo = { text, isText, coding };
      const places = await askForPlaces();
      for (const [place, found] of Object.entries(places)) {
        expect(found, place).not.toContain(text);
        expect(canBeReadIn(found, value), `${place}: ${found}`).toBe(false);
      }
      expect(places['body']).toMatch(/^\{"before":1,"echo":".+","after":2\}$/s);
      expect(places['cookie']).toMatch(/^a=.+; Path=\/\nb=2$/s);
      expect(places['location']).toMatch(/^https:\/\/api\.test\/\?key=.+&x$/s);
    });
  });
});
