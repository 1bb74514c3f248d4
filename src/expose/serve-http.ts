import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import { quote } from '../policy/quote.ts';
import type { Connect } from './open-exposed.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { joinSockets } from './join-sockets.ts';
import { HEAD_BYTES, HEAD_MS, IDLE_MS, MOST_CONNECTIONS } from './limits.ts';
import { takeToken, TOKEN_HEADER } from './take-token.ts';

export type HttpOptions = { port: number; hostPort: number | null; token: string; connect: Connect };
export type HttpServing = AsyncDisposable & { url: string; counts(): { connections: number; requests: number; refused: number } };

/**
 * Serves HTTP/1.1 and WebSocket on 127.0.0.1, and passes requests with the token, without it, to the sandbox's server. Each request has a connection of
 * its own there, so that nothing of one is taken for another's.
 */
export async function serveHttp({ port, hostPort, token, connect }: HttpOptions): Promise<HttpServing> {
  const counts = { connections: 0, requests: 0, refused: 0 };
  const sockets = new Set<Duplex>();
  const server = http.createServer({ maxHeaderSize: HEAD_BYTES, headersTimeout: HEAD_MS, requestTimeout: 0, keepAliveTimeout: IDLE_MS, insecureHTTPParser: false });
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = IDLE_MS;

  /** What goes on, or null where the request was answered here. */
  const judge = (request: http.IncomingMessage, answer: (status: number, error: string) => void): string[] | null => {
    const taken = takeToken({ url: request.url ?? '', rawHeaders: request.rawHeaders }, token);
    if (taken.ok) {
      counts.requests += 1;
      return forwardedHeaders(taken.headers);
    }
    counts.refused += 1;
    if (taken.reason === 'elsewhere') answer(400, `the token also stands where the sandbox's server would see it: send it in ${TOKEN_HEADER} or authorization alone`);
    else answer(401, `the token is ${taken.reason}: send it as \`authorization: Bearer TOKEN\`, \`${TOKEN_HEADER}: TOKEN\` or as the password of Basic credentials`);
    return null;
  };

  const serve = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const headers = judge(request, (status, error) => answerPlain(response, { status, error }));
    if (headers === null) return;
    const socket = await connect();
    if (socket === null || response.destroyed) {
      socket?.destroy();
      return void answerPlain(response, { status: 503, error: nobody(port) });
    }
    if (request.headers.expect !== undefined) response.writeContinue();
    const upstream = http.request({ ...onTo(socket, request), headers });
    const fail = () => {
      socket.destroy();
      if (response.headersSent) response.destroy();
      else answerPlain(response, { status: 502, error: noHttp(port) });
    };
    upstream.on('response', (answer) => {
      try {
        response.sendDate = false;
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, forwardedHeaders(answer.rawHeaders));
      } catch {
        // Headers that contradict each other, such as a trailer announced for a body without chunks.
        return fail();
      }
      answer.on('end', () => addTrailers(response, answer.rawTrailers));
      pipeline(answer, response, () => socket.destroy());
    });
    upstream.on('error', fail).on('upgrade', fail);
    response.on('close', () => socket.destroy());
    pipeline(request, upstream, () => {});
  };

  const upgrade = async (request: http.IncomingMessage, client: Duplex, head: Buffer) => {
    client.on('error', () => {});
    const answer = (status: number, error: string) => void client.end(plainAnswer(status, error));
    // Any other protocol would carry requests, and with them the token, past this place.
    const isWebSocket = /^websocket$/i.test(request.headers.upgrade ?? '') && request.method === 'GET';
    const headers = judge(request, answer);
    if (headers === null) return;
    if (request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0) return answer(400, 'a request with a body cannot ask for another protocol: leave `upgrade` out');
    const socket = await connect();
    if (socket === null || client.destroyed) {
      socket?.destroy();
      return answer(503, nobody(port));
    }
    const upstream = http.request({ ...onTo(socket, request), headers: isWebSocket ? [...headers, 'connection', 'Upgrade', 'upgrade', 'websocket'] : headers });
    const fail = () => {
      socket.destroy();
      answer(502, noHttp(port));
    };
    upstream.on('upgrade', (response, _, upstreamHead) => {
      if (!isWebSocket) return fail();
      client.write(headOf(response, ['connection', 'Upgrade', 'upgrade', 'websocket']));
      if (upstreamHead.length > 0) client.write(upstreamHead);
      if (head.length > 0) socket.write(head);
      joinSockets(client, socket);
    });
    upstream.on('response', (response) => {
      client.write(headOf(response, ['connection', 'close'], { unframed: true }));
      pipeline(response, client, () => socket.destroy());
    });
    upstream.on('error', fail);
    client.on('close', () => socket.destroy());
    upstream.end();
  };

  const onRequest = (request: http.IncomingMessage, response: http.ServerResponse) => void serve(request, response).catch(() => response.destroy());
  server.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', (_, response: http.ServerResponse) => answerPlain(response, { status: 417, error: 'this expectation is not known' }));
  server.on('upgrade', (request, client, head) => void upgrade(request, client, head).catch(() => client.destroy()));
  server.on('connect', (_, client) => {
    counts.refused += 1;
    client.on('error', () => {}).end(plainAnswer(405, 'this is no forward proxy'));
  });
  server.on('connection', (socket) => {
    counts.connections += 1;
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });
  server.on('drop', () => { counts.refused += 1; });
  server.on('clientError', (error: NodeJS.ErrnoException, client) => {
    if (client.writable) client.end(plainAnswer(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, 'this request cannot be read'));
    else client.destroy();
  });
  try {
    await once(server.listen({ host: '127.0.0.1', port: hostPort ?? 0, exclusive: true }), 'listening');
  } catch (error) {
    throw new Error(`expose: cannot listen on 127.0.0.1:${hostPort} (${(error as NodeJS.ErrnoException).code}): give another port, or write ${quote(String(port))} alone for one the system picks`);
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    counts: () => ({ ...counts }),
    [Symbol.asyncDispose]: () => new Promise((closed) => {
      server.close(() => closed());
      for (const socket of sockets) socket.destroy();
    }),
  };
}

function onTo(socket: Socket, { method, url }: http.IncomingMessage): http.RequestOptions {
  return { createConnection: () => socket, method, path: url, maxHeaderSize: HEAD_BYTES, setHost: false };
}

function nobody(port: number): string {
  return `nothing listens on port ${port} of the sandbox's loopback address yet: try again, or see what the command prints`;
}

function noHttp(port: number): string {
  return `what listens on port ${port} of the sandbox gave no answer that is HTTP/1.1: see what it prints, or expose the port as a socket`;
}

/** A name or value that cannot be one costs the trailers, not the answer. */
function addTrailers(response: http.ServerResponse, raw: readonly string[]): void {
  try {
    if (raw.length > 0) response.addTrailers(raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as [string, string]] : [])));
  } catch {}
}

function answerPlain(response: http.ServerResponse, { status, error }: { status: number; error: string }): void {
  if (response.headersSent || response.destroyed) return;
  // What of the request is still to come is for nobody.
  response.writeHead(status, { 'content-type': 'application/json', 'x-decoy': 'expose', connection: 'close', ...extraHeaders(status) });
  response.end(`${JSON.stringify({ error })}\n`);
}

function plainAnswer(status: number, error: string): string {
  const body = `${JSON.stringify({ error })}\n`;
  const headers = { 'content-type': 'application/json', 'x-decoy': 'expose', connection: 'close', 'content-length': String(Buffer.byteLength(body)), ...extraHeaders(status) };
  return `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

/** Basic makes browsers ask, and programs send what the URL holds. */
function extraHeaders(status: number): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Basic realm="decoy"' };
  return status === 503 ? { 'retry-after': '1' } : {};
}

/** `unframed`: the body ends with the connection. */
function headOf(response: http.IncomingMessage, more: string[], { unframed = false } = {}): string {
  const headers = [...forwardedHeaders(response.rawHeaders), ...more];
  let head = `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n`;
  for (let i = 0; i < headers.length; i += 2) if (!unframed || !/^(transfer-encoding|content-length)$/i.test(headers[i] as string)) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
