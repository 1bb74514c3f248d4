import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { mintSecrets } from '../../src/secrets/mint-secrets.ts';
import { openBench } from './open-bench.ts';

const secrets = mintSecrets([{ name: 'TOKEN', hosts: [{ kind: 'exact', name: 'api.test' }], hostTexts: ['api.test'], value: 'sk-real0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH' }]);
const chunk = Buffer.alloc(1 << 16, 'some bytes ');
const chunks = 1_600;

/** Writes 100 MB as fast as it is taken. */
async function pour(sink: NodeJS.WritableStream): Promise<void> {
  for (let i = 0; i < chunks; i++) if (!sink.write(chunk)) await once(sink, 'drain');
  sink.end();
}

const expected = (() => {
  const hash = createHash('sha1');
  for (let i = 0; i < chunks; i++) hash.update(chunk);
  return hash.digest('hex');
})();

describe.each([['without secrets', []], ['scanned and scrubbed', secrets]] as const)('100 MB %s', (_, bound) => {
  test('down and up arrive whole', async () => {
    await using bench = await openBench({
      secrets: [...bound], ...(bound.length > 0 ? { allow: [] } : {}),
      upstream: async (request, response) => {
        if (request.method === 'GET') return pour(response);
        const hash = createHash('sha1');
        for await (const part of request) hash.update(part as Buffer);
        response.end(hash.digest('hex'));
      },
    });
    const agent = bench.agentTo('api.test');
    const down = http.request({ agent, headers: { host: 'api.test' } }).end();
    const [downResponse] = await once(down, 'response') as [http.IncomingMessage];
    const hash = createHash('sha1');
    for await (const part of downResponse) hash.update(part as Buffer);
    expect(hash.digest('hex')).toBe(expected);

    const up = http.request({ agent, method: 'POST', headers: { host: 'api.test', 'transfer-encoding': 'chunked' } });
    const answered = once(up, 'response');
    await pour(up);
    const [upResponse] = await answered as [http.IncomingMessage];
    expect(String((await once(upResponse, 'data'))[0])).toBe(expected);
    expect((await bench.entriesOf(2)).map((entry) => [entry.requestBytes, entry.responseBytes])).toEqual([[0, chunks * chunk.length], [chunks * chunk.length, 40]]);
  }, 60_000);

  test('a reader that stops stops the sender: what is in flight stays small', async () => {
    let poured = 0;
    await using bench = await openBench({
      secrets: [...bound], ...(bound.length > 0 ? { allow: [] } : {}),
      upstream: (_request, response) => {
        const pourOn = () => {
          while (poured < chunks * chunk.length) {
            poured += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', pourOn);
          }
        };
        pourOn();
      },
    });
    const request = http.request({ agent: bench.agentTo('api.test'), headers: { host: 'api.test' } }).end();
    const [response] = await once(request, 'response') as [http.IncomingMessage];
    response.pause();
    let before = -1;
    while (poured !== before) {
      before = poured;
      await wait(100);
    }
    // Socket buffers of three hops, in kernel and process.
    expect(poured).toBeLessThan(24 << 20);
    request.on('error', () => undefined).destroy();
  }, 20_000);

  test('an upstream that does not read stops the client', async () => {
    await using bench = await openBench({
      secrets: [...bound], ...(bound.length > 0 ? { allow: [] } : {}),
      upstream: (request) => void request.pause(),
    });
    const request = http.request({ agent: bench.agentTo('api.test'), method: 'POST', headers: { host: 'api.test', 'transfer-encoding': 'chunked' } });
    request.on('error', () => undefined);
    let sent = 0;
    for (; sent < chunks * chunk.length; sent += chunk.length) {
      if (!request.write(chunk) && await Promise.race([once(request, 'drain').then(() => false), wait(400, true)])) break;
    }
    expect(sent).toBeLessThan(24 << 20);
    request.destroy();
  }, 20_000);
});

test('a thousand event streams are open at once, to one host', async () => {
  await using bench = await openBench({
    secrets, allow: [],
    upstream: (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: open\n\n'),
  });
  const agent = bench.agentTo('api.test');
  const opened: http.ClientRequest[] = [];
  for (let count = 0; count < 1_000; count += 1) {
    const request = http.request({ agent, headers: { host: 'api.test' } }).end();
    opened.push(request);
    const [response] = await once(request, 'response', { signal: AbortSignal.timeout(10_000) }) as [http.IncomingMessage];
    const [event] = await once(response, 'data', { signal: AbortSignal.timeout(10_000) }) as [Buffer];
    expect(event.toString()).toBe('data: open\n\n');
  }
  for (const request of opened) request.on('error', () => undefined).destroy();
});
