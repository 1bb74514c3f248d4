import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { Draft } from './audit.ts';
import type { ProxyContext } from './exchange.ts';
import { tooLongHeaders } from './header-limit.ts';
import { http1Answer, http1Request } from './http1-client.ts';
import { MAX_HEADERS } from './http1-problem.ts';
import { badRequest, http2WithoutAsking, MAX_PIPELINED, MAX_READ_WEBSOCKETS, tooManyPipelined, tooManyWebSockets, upgradeTooEarly } from './http1-refusals.ts';
import { unsupportedConnect } from './http2-misuse.ts';
import { ignoreUpgrade } from './ignore-upgrade.ts';
import { noteRefusal } from './refusal.ts';
import { answerRaw, cutOff, refuseRaw } from './refuse-raw.ts';
import { handleRequest } from './request.ts';
import { tooManyRunning, type RunningCount } from './running-count.ts';
import { asksForWebSocket } from './websocket-handshake.ts';

/** An HTTP/1.1 server that listens nowhere: connections are handed to it. */
export type HttpSide = {
  accept(socket: Duplex, destination: Destination): void;
  close(): Promise<void>;
};

export function createHttpSide(context: ProxyContext, runningInAll: RunningCount): HttpSide {
  const destinations = new WeakMap<Duplex, Destination>();
  /** requests of a connection that have no whole answer yet, in their order; the entry is missing only while one is judged */
  const running = new WeakMap<Duplex, Map<ServerResponse, Draft | null>>();
  const destinationOf = (request: IncomingMessage) => destinations.get(request.socket)!;

  const server: Server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: context.limits.headerBytes,
    // A missing Host is answered by the proxy itself, with an entry.
    requireHostHeader: false,
    // Requests have no time limit of their own: uploads and answers take as long as they take, and the run's deadline bounds them.
    keepAliveTimeout: context.limits.idleMs,
  });
  // Of what is more than this, old releases of Node drop the rest without a word, new ones break off, which is told as `capacity`.
  // With more than there may be, the request is refused (http1-problem.ts).
  server.maxHeadersCount = 3 * MAX_HEADERS;
  let openWebSockets = 0;
  const handle = (request: IncomingMessage, response: ServerResponse, { expectsContinue, webSocket }: { expectsContinue: boolean; webSocket?: Duplex }) => {
    const { socket } = request;
    const destination = destinationOf(request);
    const unanswered = running.get(socket)!;
    // The parser goes on with what it has read when the connection is gone, or was said to end with an earlier answer.
    if (socket.destroyed || socket.writableEnded || [...unanswered.keys()].some((earlier) => !earlier.shouldKeepAlive)) return;
    if (unanswered.size >= MAX_PIPELINED) return cutOff(socket, { ...tooManyPipelined, method: request.method ?? null, destination, context });
    if (runningInAll.isFull()) return cutOff(socket, { ...tooManyRunning(context.limits), method: request.method ?? null, destination, context });
    unanswered.set(response, null);
    const answer = http1Answer(response);
    answer.onClosed(() => unanswered.delete(response));
    runningInAll.add(answer);
    try {
      unanswered.set(response, handleRequest(http1Request(request), answer, { destination, context, expectsContinue, ...(webSocket && { webSocket }) }));
    } catch {
      // Thrown further it would end the process. Unjudged, the request goes nowhere.
      socket.destroy();
    }
  };
  server.on('request', (request, response) => handle(request, response, { expectsContinue: false }));
  server.on('checkContinue', (request, response) => handle(request, response, { expectsContinue: true }));
  server.on('checkExpectation', (request, response) => handle(request, response, { expectsContinue: false }));
  // Node gives the connection away with the request, and puts what followed it aside.
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Cut off for an earlier request, whose response still has the connection: a second one cannot be given it.
    if (socket.destroyed || socket.writableEnded) return;
    const destination = destinationOf(request);
    const unanswered = running.get(socket)!;
    // Behind a request that ends the connection, nothing is read.
    if ([...unanswered.keys()].some((earlier) => !earlier.shouldKeepAlive)) return;
    // Answers that are still to come could not be told from what is spoken next.
    if (unanswered.size > 0) return cutOff(socket, { ...upgradeTooEarly, method: request.method ?? null, destination, context });
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
    // The last answer is on its way, and with it the end of the connection.
    if (socket.writableEnded) return;
    // A reset is the client's way to go.
    if (destination === undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) return void socket.destroy();
    const refusal = error.code === 'HPE_HEADER_OVERFLOW' ? tooLongHeaders(context.limits) : badRequest;
    const unanswered = running.get(socket)!;
    const [response, draft] = [...unanswered].at(-1) ?? [];
    if (response === undefined && isHttp2Preface(error)) return refuseRaw(socket, { ...http2WithoutAsking, method: null, destination, context });
    if (response === undefined) return refuseRaw(socket, { ...refusal, method: null, destination, context });
    // Behind a request that ends the connection, nothing is read (RFC 9112, 9.6): its answer is still to come.
    if (response.req.complete && !response.shouldKeepAlive) return;
    // Not within a request, but behind one that waits for its answer.
    if (response.req.complete || !draft) return cutOff(socket, { ...refusal, method: null, destination, context });
    // It was refused already for another reason.
    if (draft.decision !== 'allowed') return void socket.end(() => socket.destroy());
    noteRefusal(draft, refusal);
    // An answer in the middle of another would be read as part of that one.
    if (unanswered.size > 1 || response.headersSent) socket.destroy();
    else answerRaw(socket, refusal, destination);
  });

  return {
    accept(socket, destination) {
      destinations.set(socket, destination);
      const unanswered = new Map<ServerResponse, Draft | null>();
      running.set(socket, unanswered);
      // Node tells only the first of several waiting answers that their connection is gone.
      socket.once('close', () => {
        for (const response of unanswered.keys()) {
          response.destroy();
          response.emit('close');
        }
      });
      server.emit('connection', socket);
    },
    // It never listened: its check of idle connections is all there is to stop.
    async close() {
      server.close(() => undefined);
    },
  };
}

/** What an HTTP/2 client says first (RFC 9113, 3.4); where it was not expected, it is the parser's first error. */
function isHttp2Preface({ rawPacket }: NodeJS.ErrnoException & { rawPacket?: Buffer }): boolean {
  return rawPacket?.subarray(0, 14).toString('latin1') === 'PRI * HTTP/2.0';
}
