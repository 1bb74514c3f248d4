import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { draftEntry } from './audit.ts';
import type { ProxyContext } from './exchange.ts';
import { http1Answer, http1Request } from './http1-client.ts';
import { noteRefusal, renderRefusal, type Refusal } from './refusal.ts';
import { handleRequest } from './request.ts';

/** An HTTP/1.1 server that listens nowhere: connections are handed to it. */
export type HttpSide = {
  accept(socket: Duplex, destination: Destination): void;
  close(): void;
};

export function createHttpSide(context: ProxyContext): HttpSide {
  const destinations = new WeakMap<Duplex, Destination>();
  /** requests of a connection that have no whole answer yet */
  const running = new WeakMap<Duplex, Set<ServerResponse>>();
  const destinationOf = (request: IncomingMessage) => destinations.get(request.socket)!;

  const server: Server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: 64 << 10,
    // A missing Host is answered by the proxy itself, with an entry.
    requireHostHeader: false,
    // Requests have no time limit of their own: uploads and answers take as long as they take, and the run's deadline bounds them.
    keepAliveTimeout: 75_000,
  });
  let runningInAll = 0;
  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    const { socket } = request;
    // The parser goes on with what it has read when the connection is gone.
    if (socket.destroyed) return;
    const destination = destinationOf(request);
    const unanswered = running.get(socket)!;
    if (unanswered.size >= MAX_PIPELINED) return cutOff(socket, { ...tooManyPipelined, method: request.method ?? null, destination, context });
    if (runningInAll >= MAX_RUNNING) return cutOff(socket, { ...tooManyRunning, method: request.method ?? null, destination, context });
    unanswered.add(response);
    runningInAll += 1;
    response.once('close', () => {
      unanswered.delete(response);
      runningInAll -= 1;
    });
    try {
      handleRequest(http1Request(request), http1Answer(response), { destination, context, expectsContinue });
    } catch {
      // Thrown further it would end the process. Unjudged, the request goes nowhere.
      socket.destroy();
    }
  };
  server.on('request', (request, response) => handle(request, response, false));
  server.on('checkContinue', (request, response) => handle(request, response, true));
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    const destination = destinationOf(request);
    refuseRaw(socket, { ...unsupportedConnect, method: 'CONNECT', destination, context });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const destination = destinations.get(socket);
    // A reset is the client's way to go. An answer in the middle of another would be read as part of that one.
    const isGone = error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable;
    if (destination === undefined || isGone || running.get(socket)!.size > 0) return void socket.destroy();
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
    refuseRaw(socket, { ...badRequest, status, method: null, destination, context });
  });

  return {
    accept(socket, destination) {
      destinations.set(socket, destination);
      const unanswered = new Set<ServerResponse>();
      running.set(socket, unanswered);
      // Node tells only the first of several waiting answers that their connection is gone.
      socket.once('close', () => {
        for (const response of unanswered) {
          response.destroy();
          response.emit('close');
        }
      });
      server.emit('connection', socket);
    },
    // It never listened: its check of idle connections is all there is to stop.
    close: () => server.close(() => undefined),
  };
}

/** Requests a connection may have waiting. Hardly anything pipelines; apt sends ten. */
const MAX_PIPELINED = 16;
/** Requests under way at once, as many as the gateway lets connections in: each holds memory of the process that has the secrets. */
const MAX_RUNNING = 4096;

const tooManyPipelined: Refusal = {
  status: 429, decision: 'blocked', reason: 'capacity', remedy: `Wait for answers: a connection may have ${MAX_PIPELINED} requests without one.`,
};
const tooManyRunning: Refusal = {
  status: 503, decision: 'blocked', reason: 'capacity', remedy: `Wait for answers: a run may have ${MAX_RUNNING} requests under way at once.`,
};
const unsupportedConnect: Refusal = {
  status: 501, decision: 'blocked', reason: 'unsupported-protocol',
  remedy: 'CONNECT is not needed: connect to the destination itself, Decoy is on the way.',
};
const badRequest: Refusal = {
  status: 400, decision: 'blocked', reason: 'bad-request',
  remedy: 'Send well-formed HTTP/1.1: another protocol passes only where a rule such as `tcp://db.example.com:5432` names the host and port.',
};

type RawRefusal = Refusal & { method: string | null; destination: Destination; context: ProxyContext };

/** Ends the connection without an answer: one in the middle of others would be read as part of them. */
function cutOff(socket: Duplex, { method, destination, context, ...refusal }: RawRefusal): void {
  const draft = draftEntry({ protocol: destination.scheme, host: destination.host, port: destination.port });
  draft.method = method;
  noteRefusal(draft, refusal);
  context.audit.record(draft);
  socket.destroy();
}

/** Answers where Node made no response object: the parser failed, or gave the connection away. */
function refuseRaw(socket: Duplex, { method, destination, context, ...refusal }: RawRefusal): void {
  const draft = draftEntry({ protocol: destination.scheme, host: destination.host, port: destination.port });
  draft.method = method;
  noteRefusal(draft, refusal);
  context.audit.record(draft);
  const { headers, body } = renderRefusal(refusal, destination);
  let head = `HTTP/1.1 ${refusal.status} Refused\r\nconnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.on('error', () => undefined);
  socket.end(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]), () => socket.destroy());
}
