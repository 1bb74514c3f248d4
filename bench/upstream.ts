import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../src/trust/authority.ts';
import { largeBytes } from './proxy-load.ts';

/** Answers small requests, pours `largeBytes` out and swallows uploads; under any name, with an authority of its own. */
export async function startUpstream(): Promise<{ port: number; caPem: string }> {
  const authority = await createAuthority();
  const small = Buffer.alloc(512, 'x');
  const block = Buffer.alloc(64 << 10, 'x');
  const server = https.createServer({ SNICallback: (name, done) => void Promise.resolve(authority.leafContext(name)).then((context) => done(null, context), done) }, (request, response) => {
    if (request.url === '/up') return void request.on('end', () => response.setHeader('content-length', 0).end()).resume();
    if (request.url !== '/down') return void response.writeHead(200, { 'content-length': small.length, 'content-type': 'application/json' }).end(small);
    response.writeHead(200, { 'content-length': largeBytes });
    let leftBytes = largeBytes;
    const pour = () => {
      while (leftBytes > 0) {
        leftBytes -= block.length;
        if (!response.write(block)) return void response.once('drain', pour);
      }
      response.end();
    };
    pour();
  });
  server.keepAliveTimeout = 60_000;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, caPem: authority.certificatePem };
}
