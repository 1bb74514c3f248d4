import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { forwardableRequestHeaders, type RawHeaders } from './headers.ts';
import { areTooLongTrailers, headerListBytes, tooLongHeaders } from './header-limit.ts';
import { fromHttp2Headers, sendTrailers, toHttp2Headers } from './http2-headers.ts';
import { findHttp2Misuse } from './http2-misuse.ts';
import { holdHeaders } from './hold-headers.ts';
import type { ProxyLimits } from './limits.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { renderRefusal } from './refusal.ts';
import { whenClosed } from './when-closed.ts';

export type Http2Head = { headers: IncomingHttpHeaders; rawHeaders: RawHeaders; flags: number };

export type Http2RequestOptions = {
  context: { limits: ProxyLimits; memory: MemoryBudget };
  /** nothing more may be read of the connection */
  onTooLongTrailers(): void;
};

/** The two sides of one HTTP/2 stream, which is both. */
export function http2Request(stream: ServerHttp2Stream, { headers, rawHeaders, flags }: Http2Head, { context: { limits, memory }, onTooLongTrailers }: Http2RequestOptions): ClientRequest {
  let trailers: RawHeaders | null = [];
  stream.once('trailers', (_headers: unknown, _flags: number, rawTrailers: string[]) => {
    if (areTooLongTrailers(rawTrailers)) {
      trailers = null;
      return onTooLongTrailers();
    }
    const received = forwardableRequestHeaders(fromHttp2Headers(rawTrailers));
    // They may come long before the upstream takes the body they belong to.
    trailers = holdHeaders((release) => stream.once('close', release), { rawHeaders: received, memory }) ? received : null;
  });
  const method = headers[':method'] ?? '';
  const plainHeaders = fromHttp2Headers(rawHeaders);
  const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
  return {
    version: '2',
    problem: headerListBytes(rawHeaders) > limits.headerBytes ? tooLongHeaders(limits) : findHttp2Misuse({ method, hasBody, rawHeaders: plainHeaders }),
    method,
    url: headers[':path'] ?? '',
    pseudo: { scheme: headers[':scheme'] ?? null, authority: headers[':authority'] ?? null },
    rawHeaders: plainHeaders,
    headers,
    hasBody,
    body: stream,
    // A stream that was reset may end all the same, as if it had been whole.
    isComplete: () => (stream.readableEnded || stream.endAfterHeaders) && !stream.aborted && (stream.rstCode ?? 0) === constants.NGHTTP2_NO_ERROR,
    trailers: () => trailers,
  };
}

export function http2Answer(stream: ServerHttp2Stream, { method }: { method: string }): ClientAnswer {
  let trailers: RawHeaders = [];
  const respond = (status: number, { rawHeaders, isWhole }: { rawHeaders: RawHeaders; isWhole: boolean }) => {
    // The client may be gone; respond would throw.
    if (stream.destroyed || stream.closed) return;
    const endStream = isWhole || method === 'HEAD' || bodiless.has(status);
    stream.once('wantTrailers', () => sendTrailers(stream, trailers));
    // Waiting for trailers is also what keeps Node from ending the answer, as if it were whole, when it resets the stream.
    stream.respond({ ...toHttp2Headers(rawHeaders), ':status': status }, { endStream, waitForTrailers: !endStream, sendDate: false } as object);
  };
  return {
    stream,
    onClosed: whenClosed(stream),
    isStarted: () => stream.headersSent,
    writeContinue() {
      if (!stream.destroyed && !stream.closed) stream.additionalHeaders({ ':status': 100 });
    },
    start({ status, rawHeaders, isWhole }) {
      // What is not a status at all is to be taken for a server's error (RFC 9110, 15); Node sends none above 599.
      respond(status > 599 ? 502 : status, { rawHeaders, isWhole });
    },
    end(rawTrailers) {
      trailers = rawTrailers;
      finish(stream);
    },
    refuse(refusal, destination) {
      const { headers, body } = renderRefusal(refusal, destination);
      respond(refusal.status, { rawHeaders: headers, isWhole: false });
      if (!stream.writableEnded && !stream.destroyed) stream.write(body);
      finish(stream);
    },
    cut: (errorCode = constants.NGHTTP2_INTERNAL_ERROR) => stream.close(errorCode),
  };
}

/** Node ends these with their headers. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Ends the answer, and the stream with it, although the client may still be sending: what it sends is swallowed for a while, as
 * some clients take a reset for a failure although a whole answer came before it; then it is told to stop (RFC 9113, 8.1).
 */
function finish(stream: ServerHttp2Stream): void {
  stream.end();
  if (stream.destroyed) return;
  stream.resume();
  if (stream.endAfterHeaders || stream.readableEnded) return;
  let swallowedBytes = 0;
  const stop = () => stream.close(constants.NGHTTP2_NO_ERROR);
  const timer = setTimeout(stop, lingerMs);
  stream.on('data', (chunk: Buffer) => {
    swallowedBytes += chunk.length;
    if (swallowedBytes > lingerBytes) stop();
  });
  stream.once('close', () => clearTimeout(timer));
}

const lingerMs = 1_000;
const lingerBytes = 1 << 20;
