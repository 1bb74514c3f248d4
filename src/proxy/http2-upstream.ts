import { constants, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { Destination } from '../policy/policy.ts';
import type { RawHeaders } from './headers.ts';
import { fromHttp2Headers, sendTrailers, toHttp2Headers } from './http2-headers.ts';
import type { Http2Sessions, SessionLease } from './http2-sessions.ts';
import { formatHost } from './target.ts';
import type { UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** The upstream ended one stream before its answer was whole; the connection is well. */
export class StreamReset extends Error {
  /** RFC 9113, section 7 */
  readonly errorCode: number;
  constructor(errorCode: number) {
    super(`stream reset with code ${errorCode}`);
    this.errorCode = errorCode;
  }
}

export type Http2Dispatch = {
  destination: Destination;
  request: UpstreamRequest;
  handler: UpstreamHandler;
  /** what to do where the destination speaks HTTP/1.1 only; `ready`: on this connection, where there is none that is free */
  overHttp1(ready: Socket | null): void;
};

/** Sends a request on a stream of a session, with the events that undici gives. */
export function dispatchHttp2(sessions: Http2Sessions, { destination, request, handler, overHttp1 }: Http2Dispatch): void {
  // Without a listener its error, when the client goes while the connection is being opened, would end the process.
  request.body?.on('error', () => undefined);
  sessions.lease(destination).then(
    (lease) => ('session' in lease ? send(lease, { destination, request, handler }) : overHttp1(lease.ready)),
    (error: Error) => handler.onError(error),
  ).catch((error: Error) => handler.onError(error));
}

type Sending = Omit<Http2Dispatch, 'overHttp1'>;

function send(lease: SessionLease, { destination, request, handler }: Sending): void {
  const { body } = request;
  let stream: ClientHttp2Stream | null = null;
  let isAborted = false;
  handler.onConnect(() => {
    isAborted = true;
    stream?.close(constants.NGHTTP2_CANCEL);
  });
  if (isAborted || body?.destroyed) {
    lease.release();
    return handler.onError(new StreamReset(constants.NGHTTP2_CANCEL));
  }
  try {
    // Waiting for trailers is also what keeps Node from ending the body, as if it were whole, when it resets the stream.
    stream = lease.session.request(headersOf(request, destination), { endStream: body === null, waitForTrailers: body !== null } as object);
  } catch {
    // The session was closed a moment ago.
    lease.release();
    return handler.onError(connectionLost());
  }
  stream.once('close', lease.release);
  if (body !== null) {
    stream.once('wantTrailers', () => sendTrailers(stream, request.trailers()));
    body.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    stream.once('close', () => body.destroy());
    body.pipe(stream);
    // Unpiped, it would keep what it holds.
    stream.once('close', () => body.destroy());
  }
  receive(stream, { lease, handler });
}

function headersOf({ method, path, headers }: UpstreamRequest, destination: Destination): OutgoingHttpHeaders {
  const pseudo = { ':method': method, ':scheme': destination.scheme, ':authority': formatHost(destination), ':path': path };
  const { host: _, ...others } = toHttp2Headers(headers);
  return { ...pseudo, ...others };
}

function receive(stream: ClientHttp2Stream, { lease, handler }: { lease: SessionLease; handler: UpstreamHandler }): void {
  let trailers: RawHeaders = [];
  let isOver = false;
  const isWhole = watchEnd(stream);
  /** An error in a stream's listener would end the process; undici, which calls the same handler, catches it, too. `close` follows, and tells. */
  const guarded = (step: () => void) => {
    try {
      step();
    } catch {
      isOver = false;
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  };
  stream.on('response', (headers, flags, rawHeaders?: string[]) => guarded(() => {
    const isWhole = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const goesOn = handler.onHeaders(headers[':status'] ?? 0, fromHttp2Headers(rawHeaders ?? []), () => stream.resume(), '', isWhole);
    if (!goesOn) stream.pause();
  }));
  stream.on('trailers', (_headers, _flags, rawTrailers?: string[]) => {
    trailers = fromHttp2Headers(rawTrailers ?? []);
  });
  stream.on('data', (chunk: Buffer) => guarded(() => {
    if (!handler.onData(chunk)) stream.pause();
  }));
  stream.once('end', () => {
    // A stream that was reset ends, too.
    if (isOver || !isWhole() || stream.rstCode !== constants.NGHTTP2_NO_ERROR || lease.session.destroyed) return;
    isOver = true;
    guarded(() => handler.onComplete(trailers));
    // The answer is whole: what of the request was not sent is not wanted.
    if (!stream.writableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
  // `close` follows, and tells.
  stream.on('error', () => undefined);
  stream.once('close', () => {
    if (isOver) return;
    isOver = true;
    const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    handler.onError(lease.session.destroyed && !isRefused ? connectionLost() : new StreamReset(stream.rstCode ?? constants.NGHTTP2_INTERNAL_ERROR));
  });
}

/**
 * Whether the answer is whole, or there is none: END_STREAM came (RFC 9113, 8.1), or as much as its length says. A stream ends in the same way that was
 * reset with NO_ERROR, as servers do that give up in the middle. Node tells the two apart by nothing but the order: a reset closes the stream first.
 */
function watchEnd(stream: ClientHttp2Stream): () => boolean {
  let hasEnded = false;
  let missingBytes = 0;
  // In a later turn than the body that came with them.
  stream.once('response', (headers) => {
    missingBytes += Number(headers['content-length']);
  });
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null) hasEnded ||= !stream.closed;
    else missingBytes -= chunk.length;
    return push(chunk, encoding);
  };
  return () => hasEnded || missingBytes === 0;
}

function connectionLost(): Error {
  return Object.assign(new Error('the connection to the upstream was lost'), { code: 'ECONNRESET' });
}
