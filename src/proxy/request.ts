import type { Duplex, Readable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { BodySubstitution } from '../secrets/compile-secrets.ts';
import { addUse, draftEntry, type Draft } from './audit.ts';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { parseCoding, reduceAcceptEncoding } from './coding.ts';
import type { BodyRefusal } from './decoded-scan.ts';
import { refuse, type Exchange, type ProxyContext } from './exchange.ts';
import { forward, type Forwarding } from './forward.ts';
import { forwardableRequestHeaders, headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import { hasCodedMessages, messageFraming, saysLengths } from './message-framing.ts';
import { isNodeCoding } from './node-codings.ts';
import { otherReadings } from './other-readings.ts';
import type { RateLimit } from './rate-limit.ts';
import { createRequestBody } from './request-body.ts';
import type { Refusal } from './refusal.ts';
import { refuseMessages } from './refuse-messages.ts';
import { scanMessages } from './scan-messages.ts';
import { substituteMessages } from './substitute-messages.ts';
import { createSubstitutedBody } from './substituted-body.ts';
import { parseTarget } from './target.ts';
import { withoutUnderscored } from './underscored.ts';
import { findHandshakeProblem } from './websocket-handshake.ts';
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
  answer.stream.once('close', () => context.audit.record(draft));
  judge({ request, answer, destination, draft, context }, options);
  return draft;
}

function judge(exchange: Exchange, options: RequestOptions): void {
  const { request, answer, destination, draft, context: { secrets, policy, rate } } = exchange;
  const { method } = request;
  if (request.problem !== null) return refuse(exchange, request.problem);
  const target = parseTarget(request, destination);
  if (!target.ok) return refuse(exchange, target.refusal);
  draft.path = secrets.list.length === 0 ? target.path : secrets.redact(target.path);

  const problem = options.webSocket ? findHandshakeProblem(request) : null;
  if (problem !== null) return refuse(exchange, problem);

  const verdict = policy.decide({ ...destination, method, path: target.path });
  if (!verdict.allowed) return refuse(exchange, { status: 403, decision: 'blocked', reason: verdict.reason, remedy: verdict.remedy });
  draft.rule = verdict.rule;
  const readings = otherReadings(request, { method, path: target.path });
  for (const reading of readings) {
    const other = policy.decide({ ...destination, ...reading });
    if (!other.allowed) return refuse(exchange, { status: 403, decision: 'blocked', reason: other.reason, remedy: `A header of the request makes it another one. ${other.remedy}` });
  }

  const carriesNoSecret = readings.find((reading) => reading.method === 'TRACE' || reading.method === 'TRACK');
  const echoing = carriesNoSecret?.method ?? method;
  const substitution = secrets.substituteRequest({ method: echoing, url: target.url, rawHeaders: request.rawHeaders, destination });
  if (!substitution.ok) return refuse(exchange, { status: 403, decision: 'blocked', ...pickRefusal(substitution) });

  const headers = prepareHeaders(substitution.rawHeaders, { host: target.host, isScrubbed: secrets.hasBoundSecret(destination.host) });
  const coding = request.hasBody ? parseCoding(headerValue(headers, 'content-encoding')) : null;
  if (coding === 'unknown' && secrets.list.length > 0) return refuse(exchange, unscannable);
  if (request.hasBody && hasCodedMessages(headers) && secrets.list.length > 0) return refuse(exchange, { ...unscannable, ...refuseMessages('compressed') });
  // Last, so that only what is let through counts.
  const waitSeconds = rate.take();
  if (waitSeconds !== null) return refuse(exchange, { ...tooManyAMinute(rate), retryAfterSeconds: waitSeconds });
  for (const { name, substitutions } of substitution.uses) addUse(draft, name, { substitutions });
  if (options.webSocket) return openWebSocket(exchange, { url: substitution.url, headers, socket: options.webSocket });

  const contentType = headerValue(headers, 'content-type');
  const pinned = request.hasBody ? secrets.openBodySubstitution({ destination, method: echoing, contentType }) : null;
  if (pinned !== null && coding !== null && !isNodeCoding(coding)) return refuse(exchange, notCodedAgain);
  if (pinned !== null && !pinned.keepsLength && saysLengths(headers)) return refuse(exchange, otherLengthMessages);
  const sentHeaders = pinned === null ? headers : withoutHeaders(headers, pinned.keepsLength && coding === null ? aboutBytes : aboutBytesAndLength);

  if (options.expectsContinue && request.hasBody) answer.writeContinue();
  let forwarding: Forwarding | null = null;
  const body = request.hasBody ? openBody(exchange, { headers, coding, pinned, onRefusal: () => forwarding?.abort() }) : null;
  forwarding = forward(exchange, {
    method, path: substitution.url, headers: sentHeaders, body, trailers: request.trailers, mayUseHttp2: request.version === '2',
    // A server that does not expect the body would take it for the next request, unless there is none on this connection.
    reset: body !== null && bodiless.has(method),
  });
}

/** Methods whose bodies mean nothing in general (RFC 9110, 9.3): many servers leave them unread. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function prepareHeaders(rawHeaders: RawHeaders, { host, isScrubbed }: { host: string; isScrubbed: boolean }): string[] {
  const headers = forwardableRequestHeaders(rawHeaders);
  if (!isScrubbed) return ['Host', host, ...headers];
  // A part of a body could begin or end within a secret, and a coding that cannot be undone would hide one.
  const acceptEncoding = reduceAcceptEncoding(headerValue(headers, 'accept-encoding'));
  // Of the codings of single messages none can be undone.
  const ofMessages = acceptedOfMessages.filter((name) => headerValue(headers, name) !== null).flatMap((name) => [name, 'identity']);
  return ['Host', host, ...withoutHeaders(withoutUnderscored(headers), notWhereScrubbed), 'Accept-Encoding', acceptEncoding, ...ofMessages];
}

const acceptedOfMessages = ['grpc-accept-encoding', 'connect-accept-encoding'];
const notWhereScrubbed: ReadonlySet<string> = new Set(['range', 'if-range', 'a-im', 'accept-encoding', ...acceptedOfMessages]);

/** True of the body as the client sent it. A length that changes is not announced: the body then goes in chunks. */
const aboutBytes: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest']);
const aboutBytesAndLength: ReadonlySet<string> = new Set([...aboutBytes, 'content-length']);

type BodyOptions = { headers: RawHeaders; coding: string | null; pinned: BodySubstitution | null; onRefusal(): void };

function openBody(exchange: Exchange, { headers, coding, pinned, onRefusal }: BodyOptions): Readable {
  const { request, draft, destination, context: { secrets } } = exchange;
  const isScanned = secrets.list.length > 0;
  const framing = messageFraming(headers);
  const contentType = headerValue(headers, 'content-type');
  const createScanner = () => secrets.createOutgoingScanner(destination, { contentType });
  const createPlainScanner = () => (framing === null ? createScanner() : scanMessages(createScanner(), framing));
  const events = {
    judgeTrailers: () => judgeTrailers(exchange),
    onBytes: (count: number) => {
      draft.requestBytes += count;
    },
    onRefusal: (refusal: BodyRefusal) => {
      // The upstream request first: nothing of the body may follow.
      onRefusal();
      refuse(exchange, 'secret' in refusal ? { status: 403, decision: 'blocked', ...pickRefusal(refusal) } : { ...unscannable, ...refusal });
    },
  };
  if (pinned !== null) {
    const onOver = () => {
      for (const { name, substitutions } of pinned.uses()) addUse(draft, name, { substitutions });
    };
    const substitution = framing === null ? pinned : substituteMessages(pinned, framing);
    return createSubstitutedBody(request, { ...events, substitution, coding, onOver });
  }
  return createRequestBody(request, {
    ...events,
    scanner: isScanned ? (coding === null ? createPlainScanner() : createScanner()) : null,
    decoded: isScanned && coding !== null ? { coding, scanner: createPlainScanner() } : null,
  });
}

/** No trailer is a credential: named otherwise, one that is called so is searched like any other header. */
function judgeTrailers({ request, destination, context: { secrets } }: Exchange): BodyRefusal | null {
  const trailers = request.trailers();
  if (trailers.length === 0 || secrets.list.length === 0) return null;
  const rawHeaders = trailers.map((text, i) => (i % 2 === 0 ? `trailer-${text}` : text));
  const judged = secrets.substituteRequest({ method: request.method, url: '/', rawHeaders, destination });
  return judged.ok ? null : pickRefusal(judged);
}

function pickRefusal({ reason, secret, place, remedy }: Pick<Required<Refusal>, 'reason' | 'secret' | 'place' | 'remedy'>) {
  return { reason, secret, place, remedy };
}

const unscannable: Refusal = {
  status: 403, decision: 'blocked', reason: 'unscannable-body',
  remedy: 'Send the body without a Content-Encoding, or with a valid gzip, deflate, br or zstd one, so that it can be searched for secrets.',
};

const notCodedAgain: Refusal = {
  status: 403, decision: 'blocked', reason: 'unscannable-body',
  remedy: 'Secrets are pinned to the body, which must be coded anew: send it without a Content-Encoding, or with gzip, deflate or br alone.',
};

const otherLengthMessages: Refusal = {
  status: 403, decision: 'blocked', reason: 'unreadable-body',
  remedy: 'gRPC and Connect messages say their length, and a secret pinned to "body" has another one than its placeholder: pin it to a header instead.',
};

function tooManyAMinute({ requestsPerMinute }: RateLimit): Refusal {
  return {
    status: 429, decision: 'blocked', reason: 'capacity',
    remedy: `Send at most ${requestsPerMinute} requests a minute, or raise requests-per-minute in proxy-limits.`,
  };
}
