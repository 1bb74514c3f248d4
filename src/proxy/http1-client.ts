import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { headerValue, toPairs, withoutHeaders, type RawHeaders } from './headers.ts';
import { findHttp1Problem } from './http1-problem.ts';
import { sendRefusal } from './refusal.ts';
import { whenClosed } from './when-closed.ts';

/** The two sides of an HTTP/1.1 exchange, on Node's own streams: nothing stands between them and the connection. */
export function http1Request(request: IncomingMessage): ClientRequest {
  const { headers } = request;
  const length = headers['content-length'];
  // Not passed on, and the request stays until its answer is over.
  request.once('end', () => { request.rawTrailers = []; });
  return {
    version: request.httpVersionMajor === 1 && request.httpVersionMinor === 0 ? '1.0' : '1.1',
    problem: findHttp1Problem(request),
    method: request.method ?? '',
    url: request.url ?? '',
    pseudo: null,
    rawHeaders: request.rawHeaders,
    headers,
    hasBody: headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) > 0),
    body: request,
    isComplete: () => request.complete,
    trailers: () => [],
  };
}

export function http1Answer(response: ServerResponse): ClientAnswer {
  return {
    stream: response,
    onClosed: whenClosed(response),
    isStarted: () => response.headersSent,
    writeContinue: () => response.writeContinue(),
    start({ status, statusText, rawHeaders }) {
      response.sendDate = false;
      // Corked for one turn: headers, a body that came with them and its end leave in one record. The socket, not the
      // response: Node 22 and 24 lose what a corked response with chunks was given after the first when it ends in that turn.
      const { socket } = response;
      socket?.cork();
      process.nextTick(() => {
        socket?.uncork();
        if (!response.writableEnded && !response.destroyed) response.flushHeaders();
      });
      response.writeHead(status, statusText, withoutUselessTrailer(response.req, { status, rawHeaders }) as string[]);
    },
    end(trailers) {
      if (trailers.length > 0) response.addTrailers(toPairs(trailers));
      response.end();
    },
    refuse: (refusal, destination) => sendRefusal(response, refusal, destination),
    cut: () => response.req.socket.destroy(),
  };
}

/** Node throws where trailers are announced of a body that does not go in chunks. */
function withoutUselessTrailer({ httpVersion, method }: IncomingMessage, { status, rawHeaders }: { status: number; rawHeaders: RawHeaders }): RawHeaders {
  if (headerValue(rawHeaders, 'trailer') === null) return rawHeaders;
  const isInChunks = httpVersion === '1.1' && method !== 'HEAD' && status !== 204 && status !== 304 && headerValue(rawHeaders, 'content-length') === null;
  return isInChunks ? rawHeaders : withoutHeaders(rawHeaders, trailer);
}

const trailer: ReadonlySet<string> = new Set(['trailer']);
