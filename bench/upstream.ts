import { largeBytes } from './proxy-load.ts';
import { startTlsServer } from './tls-server.ts';

/** Answers small requests, pours `largeBytes` out and swallows uploads; under any name, with an authority of its own. */
export function startUpstream(): Promise<{ port: number; caPem: string }> {
  const small = Buffer.alloc(512, 'x');
  const block = Buffer.alloc(64 << 10, 'x');
  return startTlsServer((request, response) => {
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
}
