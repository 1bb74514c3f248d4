import type { Duplex, Readable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import { addUse, draftEntry, type Draft } from './audit.ts';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { parseRequestCoding } from './coding.ts';
import { refuse, type Exchange, type ProxyContext } from './exchange.ts';
import { forward, type Forwarding } from './forward.ts';
import { headerValue, withoutHeaders } from './headers.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { hasCodedMessages, saysLengths } from './message-framing.ts';
import { isNodeCoding } from './node-codings.ts';
import { noteObserved } from './note-observed.ts';
import { openBody } from './open-body.ts';
import { otherReadings } from './other-readings.ts';
import { refuseMessages } from './refuse-messages.ts';
import { prepareHeaders } from './request-headers.ts';
import { reserveRequest } from './request-memory.ts';
import { notCodedAgain, otherLengthMessages, secretBlocked, signedAndPinned, tooManyAMinute, tooManyReadings, unscannable } from './request-refusals.ts';
import { signRequest, type SendSigned, type UnsignedRequest } from './sign-request.ts';
import { parseTarget } from './target.ts';
import type { UpstreamRequest } from './upstream.ts';
import { findHandshakeProblem, prepareHandshake } from './websocket-handshake.ts';
import { openWebSocket } from './websocket.ts';

export type RequestOptions = {
  destination: Destination;
  context: ProxyContext;
  /** the client waits for `100 Continue` before it sends the body */
  expectsContinue: boolean;
  /** the client's connection, where it asks to go on with WebSocket on it */
  webSocket?: Duplex;
};

/**
 * Judges one request and, if nothing speaks against it, forwards it. Every request of a kept-alive connection passes here. Returns its
 * entry, which is recorded when the answer's stream closes.
 */
export function handleRequest(request: ClientRequest, answer: ClientAnswer, options: RequestOptions): Draft {
  const { destination, context } = options;
  const draft = draftEntry({ protocol: destination.scheme, host: destination.host, port: destination.port });
  draft.method = request.method;
  answer.onClosed(() => context.audit.record(draft));
  judge({ request, answer, destination, draft, context }, options);
  return draft;
}

function judge(exchange: Exchange, options: RequestOptions): void {
  const { request, answer, destination, draft, context: { secrets, policy, rate, memory } } = exchange;
  const { method } = request;
  if (request.problem !== null) return refuse(exchange, request.problem);
  const target = parseTarget(request, destination);
  if (!target.ok) return refuse(exchange, target.refusal);
  draft.path = secrets.list.length === 0 ? target.path : secrets.redact(target.path);

  const problem = options.webSocket ? findHandshakeProblem(request) : null;
  if (problem !== null) return refuse(exchange, problem);

  const verdict = policy.decide({ ...destination, method, path: target.path });
  if (!verdict.allowed) {
    noteMisuse(exchange, target.url);
    return refuse(exchange, { status: 403, decision: 'blocked', reason: verdict.reason, remedy: verdict.remedy });
  }
  draft.rule = verdict.rule;
  noteObserved(draft, verdict);
  const readings = otherReadings(request, { method, path: target.path });
  if (readings === null) return refuse(exchange, tooManyReadings);
  for (const reading of readings) {
    const other = policy.decide({ ...destination, ...reading });
    if (!other.allowed) return refuse(exchange, { status: 403, decision: 'blocked', reason: other.reason, remedy: `A header of the request makes it another one. ${other.remedy}` });
    noteObserved(draft, other);
  }

  const carriesNoSecret = readings.find((reading) => reading.method === 'TRACE' || reading.method === 'TRACK');
  const echoing = carriesNoSecret?.method ?? method;
  const substitution = secrets.substituteRequest({ method: echoing, url: target.url, rawHeaders: request.rawHeaders, destination, host: target.host });
  if (!substitution.ok) return refuse(exchange, secretBlocked(substitution));

  const headers = prepareHeaders(substitution.rawHeaders, { host: target.host, isScrubbed: secrets.hasBoundSecret(destination.host) });
  const coding = request.hasBody ? parseRequestCoding(headerValue(headers, 'content-encoding')) : null;
  if (coding === 'unknown' && secrets.list.length > 0) return refuse(exchange, unscannable);
  if (request.hasBody && hasCodedMessages(headers) && secrets.list.length > 0) return refuse(exchange, { ...unscannable, ...refuseMessages('compressed') });
  const contentType = headerValue(headers, 'content-type');
  const pinned = request.hasBody ? secrets.openBodySubstitution({ destination, method: echoing, contentType }) : null;
  if (pinned !== null && coding !== null && !isNodeCoding(coding)) return refuse(exchange, notCodedAgain);
  if (pinned !== null && !pinned.keepsLength && saysLengths(headers)) return refuse(exchange, otherLengthMessages);
  if (pinned !== null && substitution.signatures?.coversBody) return refuse(exchange, signedAndPinned);

  const reserved = reserveRequest(exchange, { coding, pinned });
  if (reserved === null) return refuse(exchange, memoryUsedUp(memory));
  // Last, so that only what is let through counts.
  const waitSeconds = rate.take();
  if (waitSeconds !== null) {
    reserved.coded?.release();
    return refuse(exchange, { ...tooManyAMinute(rate), retryAfterSeconds: waitSeconds });
  }
  const { url, signatures } = substitution;
  const send = (unsigned: UnsignedRequest, sendSigned: SendSigned) => {
    const sendNow: SendSigned = (...signed) => {
      for (const { name, substitutions } of substitution.uses) addUse(draft, name, { substitutions });
      sendSigned(...signed);
    };
    if (signatures === null) sendNow(exchange, unsigned.headers, unsigned.body);
    else signRequest(exchange, signatures, unsigned, sendNow);
  };
  const { webSocket } = options;
  if (webSocket) {
    const handshake = prepareHandshake(headers, { isRaw: secrets.list.length === 0 });
    return send({ method, url, headers: handshake.headers, body: null }, (signed, signedHeaders) =>
      openWebSocket(signed, { url, handshake: { ...handshake, headers: [...signedHeaders] }, socket: webSocket }));
  }

  const sentHeaders = pinned === null ? headers : withoutHeaders(headers, pinned.keepsLength && coding === null ? aboutBytes : aboutBytesAndLength);

  if (options.expectsContinue && request.hasBody) answer.writeContinue();
  let forwarding: Forwarding | null = null;
  const body = request.hasBody ? openBody(exchange, { headers, coded: reserved.coded && { coding: coding!, memory: reserved.coded }, pinned, onRefusal: () => forwarding?.abort() }) : null;
  send({ method, url, headers: sentHeaders, body }, (signed, signedHeaders, signedBody) => {
    forwarding = forward(signed, upstreamRequest(request, { url, headers: [...signedHeaders], body: signedBody, hasBody: body !== null }));
  });
}

type Sent = { url: string; headers: string[]; body: Readable | null; hasBody: boolean };

/** A function of its own, as `trailers` would keep everything the request was judged by for as long as the answer takes. */
function upstreamRequest(request: ClientRequest, { url, headers, body, hasBody }: Sent): UpstreamRequest {
  const { method } = request;
  return {
    method, path: url, headers, body, trailers: () => request.trailers() ?? [], mayUseHttp2: request.version === '2',
    // A server that does not expect the body would take it for the next request, unless there is none on this connection.
    reset: hasBody && bodiless.has(method),
  };
}

/** The rules refuse it already; that it would have taken a secret along is told as well, so that no rule is proposed for it. */
function noteMisuse({ request: { method, rawHeaders }, destination, draft, context: { secrets } }: Exchange, url: string): void {
  if (secrets.list.length === 0) return;
  const substitution = secrets.substituteRequest({ method, url, rawHeaders, destination });
  if (!substitution.ok && substitution.secret !== undefined) addUse(draft, substitution.secret, { refusals: 1 });
}

/** Methods whose bodies mean nothing in general (RFC 9110, 9.3): many servers leave them unread. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** True of the body as the client sent it. A length that changes is not announced: the body then goes in chunks. */
const aboutBytes: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);
const aboutBytesAndLength: ReadonlySet<string> = new Set([...aboutBytes, 'content-length']);
