import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../trust/authority.ts';

export type FakeOpenai = AsyncDisposable & { port: number; certificatePem: string; sawRealKey(): boolean; echoes(): number };

/** A local server that is api.openai.com for the length of the demo, with a certificate of its own authority. */
export async function startFakeOpenai(key: string): Promise<FakeOpenai> {
  const authority = await createAuthority();
  const context = await authority.leafContext('api.openai.com');
  let real = 0;
  let echoes = 0;
  const server = https.createServer({ SNICallback: (_name, done) => done(null, context) }, (request, response) => {
    const { authorization } = request.headers;
    if (authorization === `Bearer ${key}`) real += 1;
    response.setHeader('content-type', 'application/json');
    if (request.url === '/echo') {
      echoes += 1;
      response.end(JSON.stringify({ you_sent: { authorization } }));
      return;
    }
    request.resume().on('end', () => {
      response.statusCode = authorization === `Bearer ${key}` ? 200 : 401;
      response.end(JSON.stringify(response.statusCode === 200 ? { choices: [{ message: { content: 'Hello from the fake OpenAI.' } }] } : { error: 'bad key' }));
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    certificatePem: authority.certificatePem,
    sawRealKey: () => real > 0,
    echoes: () => echoes,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
