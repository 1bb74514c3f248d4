import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { draftEntry } from './audit.ts';
import type { ProxyContext } from './exchange.ts';
import { withoutHeaders } from './headers.ts';
import { http1Answer, http1Request } from './http1-client.ts';
import { noteRefusal, renderRefusal, type Refusal } from './refusal.ts';
import { handleRequest } from './request.ts';
import { asksForWebSocket } from './websocket-handshake.ts';

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
  let openWebSockets = 0;
  const handle = (request: IncomingMessage, response: ServerResponse, { expectsContinue, webSocket }: { expectsContinue: boolean; webSocket?: Duplex }) => {
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
      handleRequest(http1Request(request), http1Answer(response), { destination, context, expectsContinue, ...(webSocket && { webSocket }) });
    } catch {
      // Thrown further it would end the process. Unjudged, the request goes nowhere.
      socket.destroy();
    }
  };
  server.on('request', (request, response) => handle(request, response, { expectsContinue: false }));
  server.on('checkContinue', (request, response) => handle(request, response, { expectsContinue: true }));
  // Node gives the connection away with the request, and puts what followed it aside.
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const destination = destinationOf(request);
    // Answers that are still to come could not be told from what is spoken next.
    if (running.get(socket)!.size > 0) return cutOff(socket, { ...tooManyPipelined, method: request.method ?? null, destination, context });
    if (head.length > 0) socket.unshift(head);
    if (!asksForWebSocket(request.headers.upgrade)) return ignoreUpgrade(request, socket, server);
    if (context.secrets.list.length > 0) {
      if (openWebSockets >= MAX_READ_WEBSOCKETS) return refuseRaw(socket, { ...tooManyWebSockets, method: request.method ?? null, destination, context });
      openWebSockets += 1;
      socket.once('close', () => { openWebSockets -= 1; });
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => (socket as Socket).destroySoon());
    handle(request, response, { expectsContinue: false, webSocket: socket });
  });
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

/** Of those whose messages are read, each of which may hold one of 16 MiB from either side. */
const MAX_READ_WEBSOCKETS = 64;

const tooManyWebSockets: Refusal = {
  status: 503, decision: 'blocked', reason: 'capacity', remedy: `Keep at most ${MAX_READ_WEBSOCKETS} WebSocket connections open at once.`,
};
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

/**
 * An Upgrade to anything else is an offer that a server may ignore (RFC 9110, 7.8), but Node knows no such thing once one kind is taken.
 * So the request is read again without the offer, which some clients make with every first request (`h2c`).
 */
function ignoreUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage, socket: Duplex, server: Server): void {
  const kept = withoutHeaders(rawHeaders, upgradeHeader);
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < kept.length; i += 2) head += `${kept[i]}: ${kept[i + 1]}\r\n`;
  socket.unshift(Buffer.from(`${head}\r\n`, 'latin1'));
  server.emit('connection', socket);
}

const upgradeHeader: ReadonlySet<string> = new Set(['upgrade']);

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
