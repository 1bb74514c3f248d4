import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream, type ServerOptions } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { Draft } from './audit.ts';
import type { ProxyContext } from './exchange.ts';
import { tooLongTrailers } from './header-limit.ts';
import { MAX_HEADERS } from './http1-problem.ts';
import { http2Answer, http2Request, type Http2Head } from './http2-client.ts';
import { watchHttp2Refusals, type Http2Refusals } from './http2-refusals.ts';
import type { ProxyLimits } from './limits.ts';
import { recordRefusal } from './record-refusal.ts';
import { noteRefusal, type Refusal } from './refusal.ts';
import { handleRequest } from './request.ts';
import { createResetLimit, type ResetLimit } from './reset-limit.ts';
import { tooManyRunning, type RunningCount } from './running-count.ts';
import type { HttpSide } from './server.ts';

/** An HTTP/2 server that listens nowhere: connections are handed to it. */
export function createHttp2Side(context: ProxyContext, running: RunningCount): HttpSide {
  const server = createServer(sessionLimits(context.limits));
  const sessions = new Set<Served>();
  return {
    accept(socket, destination) {
      const session = openSession(server, socket);
      const refusals = watchHttp2Refusals(session, { socket, onRefused: () => note(refusedUnread(context.limits), { ...served, method: null }) });
      const served: Served = { socket, session, destination, context, running, refusals, streams: new Set(), resets: createResetLimit() };
      sessions.add(served);
      session.once('close', () => sessions.delete(served));
      session.on('stream', (stream, headers, flags, rawHeaders?: string[]) => {
        refusals.saw(stream.id!);
        handleStream(stream, { headers, flags, rawHeaders: rawHeaders ?? [] }, served);
      });
      session.on('error', (error: NodeJS.ErrnoException) => {
        if (isProtocolError(error)) note(malformed, { ...served, method: null });
      });
      session.setTimeout(context.limits.idleMs);
      // Not as its callback, which is called once only: the first time may pass while an answer takes long.
      session.on('timeout', () => {
        void endIfOver(served).then(() => {
          if (served.streams.size === 0) return session.close();
          readAgain(socket);
          session.setTimeout(context.limits.idleMs);
        });
      });
    },
    async close() {
      await Promise.all([...sessions].map(endIfOver));
      for (const { session } of sessions) session.destroy();
    },
  };
}

const farewellMs = 500;
const maxStreams = 100;
/** RFC 9113, section 8.3.1 */
const PSEUDO_HEADERS = 4;

/**
 * What one session may cost. Node and nghttp2 bound the rest by themselves: pings and settings that are not acknowledged (10 each),
 * headers that go on and on (8 CONTINUATION frames), malformed frames (1000).
 */
function sessionLimits({ headerBytes }: ProxyLimits): ServerOptions {
  // Beyond it Node resets the stream without a word: what is up to twice too long gets an answer, and an entry.
  const maxBytes = 2 * headerBytes;
  return {
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: maxBytes, enablePush: false, enableConnectProtocol: false },
    // Each takes some 200 bytes while nghttp2 waits for the rest of them, whatever its length.
    maxHeaderListPairs: MAX_HEADERS + PSEUDO_HEADERS,
    // In megabytes: a hundred answers that wait for a slow client to read.
    maxSessionMemory: 32,
  };
}

type Served = {
  socket: Duplex;
  session: ServerHttp2Session;
  destination: Destination;
  context: ProxyContext;
  running: RunningCount;
  refusals: Http2Refusals;
  streams: Set<ServerHttp2Stream>;
  resets: ResetLimit;
};

function openSession(server: Http2Server, socket: Duplex): ServerHttp2Session {
  let opened: ServerHttp2Session | null = null;
  const onSession = (session: ServerHttp2Session) => {
    opened = session;
  };
  server.once('session', onSession);
  // At once: the event comes before this returns.
  server.emit('connection', socket);
  server.off('session', onSession);
  if (opened === null) throw new Error('no HTTP/2 session was opened');
  return opened;
}

/** Records what was refused so far; where that was the connection, ends it, as nobody else will. */
async function endIfOver(served: Served): Promise<void> {
  const { refusals, session, streams } = served;
  const isWaiting = [...streams].some((stream) => stream.writableLength > 0);
  if (isWaiting || !(await refusals.isOver())) return refusals.look();
  note(malformed, { ...served, method: null });
  session.destroy();
}

/**
 * Node reads nothing while it writes to a client that takes nothing. Where that one goes away then, it may never read again (seen on 20), and so never notice: requests that
 * were answered would have no entry, and hold their memory, until the end of the run.
 */
function readAgain(socket: Duplex): void {
  (socket as { _handle?: { readStart?(): unknown } | null })._handle?.readStart?.();
}

function handleStream(stream: ServerHttp2Stream, head: Http2Head, served: Served): void {
  const { running, destination, context } = served;
  // A reset; `close` follows, and tells.
  stream.on('error', () => undefined);
  served.streams.add(stream);
  let draft: Draft | null = null;
  stream.once('close', () => {
    served.streams.delete(stream);
    if (draft?.decision === 'allowed' && stream.aborted && refusingCodes.has(stream.rstCode ?? 0)) noteRefusal(draft, { ...malformed, status: draft.status });
    if (stream.aborted && !served.session.destroyed && !served.resets.allow(performance.now())) {
      note(tooManyResets, { ...served, method: null });
      endSession(served);
    }
  });
  if (running.isFull()) {
    note(tooManyRunning(context.limits), { ...served, method: head.headers[':method'] ?? null });
    return stream.close(constants.NGHTTP2_REFUSED_STREAM);
  }
  const answer = http2Answer(stream, { method: head.headers[':method'] ?? '' });
  running.add(answer);
  try {
    const request = http2Request(stream, head, {
      context,
      onTooLongTrailers() {
        if (draft?.decision === 'allowed') noteRefusal(draft, { ...tooLongTrailers, status: draft.status });
        // Not while nghttp2 reads: Node 22 aborts the process when data follows for a stream that was destroyed meanwhile.
        stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
        setImmediate(() => endSession(served));
      },
    });
    draft = handleRequest(request, answer, { destination, context, expectsContinue: head.headers.expect?.toLowerCase() === '100-continue' });
  } catch {
    // Thrown further it would end the process. Unjudged, the request goes nowhere.
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

function endSession(served: Served): void {
  served.session.destroy(constants.NGHTTP2_ENHANCE_YOUR_CALM as never);
  // The session waits for what it writes to be taken, and a client that floods it may take nothing.
  setTimeout(() => served.socket.destroy(), farewellMs).unref();
}

const tooManyResets: Refusal = { status: 429, decision: 'blocked', reason: 'capacity', remedy: 'Wait for answers: too many streams of one HTTP/2 connection were reset before they had one.' };

/** Not that the client went away, nor that it found fault with this side. */
function isProtocolError({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ERR_HTTP2_ERROR' || code === 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES';
}

/** What nghttp2 resets a stream with when what follows its headers is wrong. A client has little reason to. */
const refusingCodes: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_FLOW_CONTROL_ERROR, constants.NGHTTP2_STREAM_CLOSED, constants.NGHTTP2_FRAME_SIZE_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

const malformed: Refusal = { status: 400, decision: 'blocked', reason: 'bad-request', remedy: 'Send well-formed HTTP/2, as was agreed on in the TLS handshake.' };

/** Which of these it was is not known. */
function refusedUnread({ headerBytes }: ProxyLimits): Refusal {
  return {
    status: 400, decision: 'blocked', reason: 'bad-request',
    remedy: `Send well-formed requests over HTTP/2, with a single :authority without a user, at most ${MAX_HEADERS} headers of at most ${headerBytes} bytes together, and at most ${maxStreams} at once.`,
  };
}

function note(refusal: Refusal, { method, destination, context }: Served & { method: string | null }): void {
  recordRefusal({ ...refusal, status: null }, { ...destination, protocol: destination.scheme, method, audit: context.audit });
}
