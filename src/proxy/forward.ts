import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { addUse } from './audit.ts';
import { DialError } from './dial.ts';
import { refuse, type Exchange } from './exchange.ts';
import { decodeHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';
import { prepareResponse, type PreparedResponse } from './response.ts';
import type { UpstreamRequest } from './upstream.ts';
import type { ResponseSink } from './response-sink.ts';

export type Forwarding = {
  /** Stops the upstream request; nothing more of it is sent. */
  abort(): void;
};

/** Takes over a connection that the upstream's answer, 101, switched to what the request asked for. */
export type OnUpgrade = (rawHeaders: string[], socket: Duplex) => void;

/** Sends the request upstream and streams the answer back. */
export function forward(exchange: Exchange, upstreamRequest: UpstreamRequest, onUpgrade?: OnUpgrade): Forwarding {
  const { answer, destination, draft, context } = exchange;
  let attemptsLeft = upstreamRequest.body == null && retriable.has(upstreamRequest.method) ? 1 : 0;
  let abortUpstream: ((error?: Error) => void) | null = null;
  let isAborted = false;
  let resumeUpstream: () => void = () => undefined;
  let prepared: PreparedResponse | null = null;
  let sink: ResponseSink | null = null;

  const abort = () => {
    if (isAborted) return;
    isAborted = true;
    abortUpstream?.(new Error('aborted'));
    sink?.destroy();
  };
  const cut = () => {
    draft.decision = 'failed';
    draft.reason ??= 'upstream-unreachable';
    draft.remedy ??= `The answer of "${destination.host}:${destination.port}" ended before it was complete; try again.`;
    abort();
    answer.cut();
  };
  const end = (trailers: readonly string[]) => {
    const scrubbed = trailers.length === 0 ? undefined : prepared!.scrubber?.scrubHeaders(trailers);
    for (const { name, scrubs } of scrubbed?.counts ?? []) addUse(draft, name, { scrubs });
    answer.end(scrubbed?.rawHeaders ?? trailers);
  };

  const handler: Dispatcher.DispatchHandler = {
    onConnect(abortRequest) {
      abortUpstream = abortRequest;
      if (isAborted) abortRequest(new Error('aborted'));
    },
    onUpgrade(_, headers, socket) {
      abortUpstream = null;
      if (isAborted || answer.stream.destroyed || !onUpgrade) return void socket.destroy();
      onUpgrade(decodeHeaders(headers ?? []), socket);
    },
    onHeaders(status, headers, resume, statusText) {
      // 1xx: only the final answer is passed on.
      if (status < 200) return true;
      resumeUpstream = resume;
      const result = prepareResponse(exchange, { status, statusText, rawHeaders: decodeHeaders(headers) });
      if (!result.ok) {
        refuse(exchange, result.refusal);
        abort();
        return true;
      }
      prepared = result;
      draft.status = status;
      answer.start({ status, statusText: result.statusText, rawHeaders: result.rawHeaders });
      sink = result.openSink({ onDrain: () => resumeUpstream(), onError: cut });
      return true;
    },
    onData(chunk) {
      draft.responseBytes += chunk.length;
      return sink === null || sink.write(chunk);
    },
    onComplete(trailers) {
      abortUpstream = null;
      sink?.end(() => end(trailers === null ? [] : decodeHeaders(trailers)));
    },
    onError(error) {
      abortUpstream = null;
      if (isAborted || answer.stream.destroyed) return;
      if (answer.isStarted()) return cut();
      if (attemptsLeft-- > 0 && isStaleConnection(error)) return send();
      refuse(exchange, explain(error, `${destination.host}:${destination.port}`));
    },
  };
  const send = () => context.upstream.dispatch(destination, upstreamRequest, handler);

  answer.stream.once('close', () => {
    if (!answer.stream.writableFinished) abort();
  });
  send();
  return { abort };
}

/** Safe to send twice (RFC 9110, 9.2.2), and without a body that would be gone. */
const retriable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** An upstream may close an idle connection just as a request is sent into it. */
function isStaleConnection(error: Error): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'UND_ERR_CLOSED'].includes((error as NodeJS.ErrnoException).code ?? '');
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
