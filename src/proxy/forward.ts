import { constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { addUse } from './audit.ts';
import { DialError } from './dial.ts';
import { refuse, type Exchange } from './exchange.ts';
import { decodeHeaders, forwardableTrailers, type RawHeaders } from './headers.ts';
import { holdHeaders } from './hold-headers.ts';
import { StreamReset } from './http2-upstream.ts';
import type { Refusal } from './refusal.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { prepareResponse, type PreparedResponse } from './response.ts';
import type { UpstreamHandler, UpstreamRequest } from './upstream.ts';
import type { ResponseSink } from './response-sink.ts';
import { createWaitingMemory } from './waiting-memory.ts';

export type Forwarding = {
  /** Stops the upstream request; nothing more of it is sent. */
  abort(): void;
};

/** Takes over a connection that the upstream's answer, 101, switched to what the request asked for. */
export type OnUpgrade = (rawHeaders: string[], socket: Duplex) => void;

/** Sends the request upstream and streams the answer back. */
export function forward(exchange: Exchange, upstreamRequest: UpstreamRequest, onUpgrade?: OnUpgrade): Forwarding {
  const { answer, destination, draft, context } = exchange;
  const waiting = createWaitingMemory(context.memory, waitingAnswerBytes);
  let attemptsLeft = upstreamRequest.body === null ? 1 : 0;
  let abortUpstream: ((error?: Error) => void) | null = null;
  let isAborted = false;
  /** Node ends an HTTP/2 stream that was reset: that alone does not show that its answer was whole. */
  let isEnded = false;
  let resumeUpstream: () => void = () => undefined;
  let prepared: PreparedResponse | null = null;
  let sink: ResponseSink | null = null;

  const abort = () => {
    if (isAborted) return;
    isAborted = true;
    abortUpstream?.(new Error('aborted'));
    sink?.destroy();
    upstreamRequest.body?.destroy();
    waiting.flow();
  };
  const refuseRest = (refusal: Refusal) => {
    refuse(exchange, refusal);
    abort();
  };
  const onDrain = () => {
    waiting.flow();
    resumeUpstream();
  };
  const cut = (errorCode?: number) => {
    // What observe mode noted is not why it failed.
    if (draft.decision === 'allowed') draft.reason = draft.remedy = null;
    draft.decision = 'failed';
    draft.reason ??= 'upstream-unreachable';
    draft.remedy ??= `The answer of "${destination.host}:${destination.port}" ended before it was complete; try again.`;
    abort();
    answer.cut(errorCode);
  };
  const end = (trailers: readonly string[]) => {
    // The last of the body may have been what could not be passed on.
    if (isAborted) return;
    const scrubbed = trailers.length === 0 ? undefined : prepared!.scrubber?.scrubHeaders(trailers);
    for (const { name, scrubs } of scrubbed?.counts ?? []) addUse(draft, name, { scrubs });
    const rawHeaders = scrubbed?.rawHeaders ?? trailers;
    if (!holdHeaders(answer.onClosed, { rawHeaders, memory: context.memory })) return refuseRest(memoryUsedUp(context.memory));
    isEnded = true;
    answer.end(rawHeaders);
  };

  const handler: UpstreamHandler = {
    onConnect(abortRequest) {
      abortUpstream = abortRequest;
      if (isAborted) abortRequest(new Error('aborted'));
    },
    onUpgrade(_, headers, socket) {
      abortUpstream = null;
      if (isAborted || answer.stream.destroyed || !onUpgrade) return void socket.destroy();
      onUpgrade(decodeHeaders(headers ?? []), socket);
    },
    onHeaders(status, headers, resume, statusText, isWhole = false) {
      if (status < 100) {
        refuseRest(noAnswer(destination));
        return true;
      }
      // 1xx: only the final answer is passed on.
      if (status < 200) return true;
      resumeUpstream = resume;
      const result = prepareResponse(exchange, { status, statusText, rawHeaders: decodeHeaders(headers) });
      if (!result.ok) {
        refuseRest(result.refusal);
        return true;
      }
      if (!holdHeaders(answer.onClosed, { rawHeaders: result.rawHeaders, memory: context.memory })) {
        refuseRest(memoryUsedUp(context.memory));
        return true;
      }
      prepared = result;
      const onBegin = (wholeBytes: number | null) => {
        if (isAborted || answer.isStarted() || answer.stream.destroyed) return;
        answer.start({ status, statusText: result.statusText, rawHeaders: result.scrubber === null ? result.rawHeaders : withLength(result.rawHeaders, wholeBytes), isWhole });
      };
      sink = result.openSink({ onBegin, onDrain, onError: () => cut(), onRefusal: refuseRest });
      if (sink === null) {
        refuseRest(memoryUsedUp(context.memory));
        return true;
      }
      draft.status = status;
      // A small body is there in the same turn; for one that is not, the headers do not wait.
      process.nextTick(onBegin, null);
      return true;
    },
    onData(chunk) {
      draft.responseBytes += chunk.length;
      if (sink === null || sink.write(chunk)) return true;
      if (!isAborted && !waiting.wait()) refuseRest(memoryUsedUp(context.memory));
      return false;
    },
    onComplete(trailers) {
      abortUpstream = null;
      waiting.flow();
      if (isAborted) return;
      if (sink === null) return refuseRest(noAnswer(destination));
      const rawTrailers = trailers === null ? [] : forwardableTrailers(decodeHeaders(trailers));
      sink.end(() => end(rawTrailers), { isLast: rawTrailers.length === 0 });
    },
    onError(error) {
      abortUpstream = null;
      if (isAborted || answer.stream.destroyed) return;
      if (sink !== null && isOnlyLength(error, draft.status)) return sink.end(() => end([]), { isLast: true });
      // A whole answer ends without a reset: NO_ERROR would make a part of one look whole.
      const errorCode = error instanceof StreamReset ? (error.errorCode || constants.NGHTTP2_INTERNAL_ERROR) : undefined;
      if (answer.isStarted()) return cut(errorCode);
      if (sink === null && attemptsLeft-- > 0 && mayBeSentAgain(error, upstreamRequest)) return send();
      // The client's library knows what to do about each code; a refused stream, for one, it sends again.
      if (errorCode !== undefined) return cut(errorCode);
      refuse(exchange, explain(error, `${destination.host}:${destination.port}`));
    },
  };
  const send = () => context.upstream.dispatch(destination, upstreamRequest, handler);

  answer.onClosed(() => {
    if (!isEnded || !answer.stream.writableFinished) abort();
  });
  send();
  return { abort };
}

/** Of a body that was scrubbed, its length as it goes to the client. None where there is none, as in the answer to HEAD. */
function withLength(rawHeaders: RawHeaders, bytes: number | null): RawHeaders {
  return bytes === null || bytes === 0 ? rawHeaders : [...rawHeaders, 'Content-Length', String(bytes)];
}

/** A chunk in the connection to the client, and what an upstream may send ahead: over HTTP/2 a stream's window (http2-sessions.ts). */
const waitingAnswerBytes = 320 << 10;

/** Safe to send twice (RFC 9110, 9.2.2), and without a body that would be gone. */
const retriable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function mayBeSentAgain(error: Error, { method }: UpstreamRequest): boolean {
  // Refused streams were not processed at all (RFC 9113, 8.7).
  if (error instanceof StreamReset) return error.errorCode === constants.NGHTTP2_REFUSED_STREAM;
  return retriable.has(method) && isStaleConnection(error);
}

/** An upstream may close an idle connection just as a request is sent into it. */
function isStaleConnection(error: Error): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'UND_ERR_CLOSED'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** undici misses the body that a 304 with a Content-Length does not have (RFC 9110, 8.6); a 204 should not have one, but is whole, too. */
function isOnlyLength(error: Error, status: number | null): boolean {
  return (error as NodeJS.ErrnoException).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && (status === 304 || status === 204);
}

/** What is not a status at all (RFC 9110, 15), or interim answers alone. */
function noAnswer({ host, port }: Destination): Refusal {
  return {
    status: 502, decision: 'failed', reason: 'upstream-unreachable',
    remedy: `"${host}:${port}" gave no answer with a status that HTTP knows; check the service.`,
  };
}

function explain(error: Error, where: string): Refusal {
  if (error instanceof DialError) {
    const isPrivate = error.reason === 'private-address';
    return { status: isPrivate ? 403 : 502, decision: isPrivate ? 'blocked' : 'failed', reason: error.reason, remedy: error.remedy };
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  // A method, target or header that undici does not write; its message may quote it.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return { status: 400, decision: 'failed', reason: 'bad-request', remedy: 'Send a method, target, headers and body length that are valid HTTP/1.1.' };
  }
  return {
    status: 502, decision: 'failed', reason: 'upstream-unreachable',
    remedy: `The connection to "${where}" broke before it answered (${code || 'unknown error'}); try again.`,
  };
}
