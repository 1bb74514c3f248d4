import http from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';

export type AlteringEngine = AsyncDisposable & { dockerHost: string };

type Spec = { HostConfig: Record<string, unknown>; [field: string]: unknown };

const engineSocket = '/var/run/docker.sock';

/**
 * The machine's own engine behind a socket of its own, with every container's specification altered on its way: what an engine on
 * another machine makes of it. All else passes byte by byte.
 */
export async function openAlteringEngine(alter: (spec: Spec) => void): Promise<AlteringEngine> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'decoy-engine-'));
  const server = http.createServer((request, response) => {
    void (async () => {
      const isCreation = request.method === 'POST' && /\/containers\/create\?/.test(request.url ?? '');
      const headers = { ...request.headers };
      let body: string | null = null;
      if (isCreation) {
        const spec = JSON.parse(await text(request)) as Spec;
        alter(spec);
        body = JSON.stringify(spec);
        headers['content-length'] = String(Buffer.byteLength(body));
      }
      const onward = http.request({ socketPath: engineSocket, method: request.method!, path: request.url!, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      if (body === null) request.pipe(onward);
      else onward.end(body);
    })();
  });
  // An attached stream is a connection turned raw.
  server.on('upgrade', (request, socket, head) => {
    const onward = net.connect(engineSocket);
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    // In one piece: an engine takes what comes after the head of this request for standard input.
    onward.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), head]));
    onward.pipe(socket).pipe(onward);
    for (const end of [onward, socket]) end.on('error', () => { onward.destroy(); socket.destroy(); });
  });
  const socketPath = path.join(folder, 'docker.sock');
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  return {
    dockerHost: `unix://${socketPath}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    },
  };
}
