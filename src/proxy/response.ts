import { STATUS_CODES } from 'node:http';
import type { EvenScrubber, ResponseScrubber } from '../secrets/compile-secrets.ts';
import { answerScrubber } from './answer-scrubber.ts';
import { addUse } from './audit.ts';
import { parseCoding } from './coding.ts';
import { keepBehind } from './even-writes.ts';
import type { Exchange } from './exchange.ts';
import { forwardableResponseHeaders, headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import { keepLength } from './keep-length.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { messageFraming, saysLengths } from './message-framing.ts';
import type { Refusal } from './refusal.ts';
import { createDirectSink, createScrubbedSink, type DirectSinkOptions, type ResponseSink } from './response-sink.ts';
import { scrubMessages, type AnswerProblem } from './scrub-messages.ts';
import { scrubTextMessages } from './text-messages.ts';
import { findUnscrubbable, refuseProblem } from './unscrubbable.ts';

export type UpstreamResponse = { status: number; statusText: string; rawHeaders: RawHeaders };

export type SinkEvents = DirectSinkOptions & {
  onError(): void;
  /** the rest of the body cannot be passed on */
  onRefusal(refusal: Refusal): void;
};

export type PreparedResponse = {
  ok: true;
  statusText: string;
  rawHeaders: RawHeaders;
  scrubber: ResponseScrubber | null;
  /** null where there is no memory for it */
  openSink(events: SinkEvents): ResponseSink | null;
};

/** Decides how an answer goes back: untouched, or, from a host a secret is bound to, decoded and scrubbed. */
export function prepareResponse(exchange: Exchange, upstream: UpstreamResponse): PreparedResponse | { ok: false; refusal: Refusal } {
  const { answer, destination, context, draft } = exchange;
  if (!isPlainlyFramed(upstream.rawHeaders)) return { ok: false, refusal: codedInTransfer(destination.host) };
  const forwardable = forwardableResponseHeaders(upstream.rawHeaders);
  // RFC 9110, 8.6: with a length, a client might wait for a body that never comes.
  const rawHeaders = upstream.status === 204 ? withoutHeaders(forwardable, length) : forwardable;
  const scrubber = answerScrubber(exchange);
  if (scrubber === null) {
    const statusText = printable(upstream.statusText, upstream.status);
    return { ok: true, statusText, rawHeaders, scrubber, openSink: (events) => createDirectSink(answer.stream, events) };
  }

  const unscrubbable = findUnscrubbable({ ...upstream, rawHeaders }, destination.host);
  if (unscrubbable !== null) return { ok: false, refusal: unscrubbable };
  const coding = parseCoding(headerValue(rawHeaders, 'content-encoding'));
  const headers = scrubber.scrubHeaders(withoutHeaders(rawHeaders, aboutOriginalBytes));
  const statusText = scrubber.scrubHeaderValue(printable(upstream.statusText, upstream.status));
  for (const { name, scrubs } of [...headers.counts, ...statusText.counts]) addUse(draft, name, { scrubs });
  return {
    ok: true,
    statusText: statusText.text,
    rawHeaders: weakenTag(headers.rawHeaders),
    scrubber,
    openSink: ({ onBegin, onDrain, onError, onRefusal }) => createScrubbedSink(answer.stream, {
      scrubber: scrubberOf(scrubber, { rawHeaders, host: destination.host, onRefusal }),
      coding,
      quietMs: messageFraming(rawHeaders) === null ? quietMs : quietMsBetweenMessages,
      memory: context.memory,
      onBegin,
      onDrain,
      onError,
      onMemoryUsedUp: () => onRefusal(memoryUsedUp(context.memory)),
      onScrubs: (counts) => {
        for (const { name, scrubs } of counts) addUse(draft, name, { scrubs });
      },
    }),
  };
}

type Body = { rawHeaders: RawHeaders; host: string; onRefusal(refusal: Refusal): void };

/** The scrubber as the body needs it: one of messages keeps their lengths, and is passed on message by message. */
function scrubberOf(scrubber: ResponseScrubber, { rawHeaders, host, onRefusal }: Body): EvenScrubber {
  if (!saysLengths(rawHeaders)) return scrubber.createEvenScrubber();
  const sameLength = keepLength(scrubber.createBodyScrubber(), () => onRefusal(otherLength(host)));
  const framing = messageFraming(rawHeaders);
  if (framing === null) return keepBehind(sameLength);
  const onProblem = (problem: AnswerProblem) => onRefusal(refuseProblem(problem, host));
  const messages = scrubMessages(sameLength, { framing, onProblem });
  return keepBehind(framing.isText ? scrubTextMessages(messages, { text: scrubber.createBodyScrubber({ endBytes: inBase64Bytes }), onProblem }) : messages);
}

/** Any other transfer coding is still on the body, which was read to the connection's end (RFC 9112, 6.3): nobody could undo it any more. */
function isPlainlyFramed(rawHeaders: RawHeaders): boolean {
  const transferEncoding = headerValue(rawHeaders, 'transfer-encoding')?.toLowerCase() ?? 'chunked';
  return transferEncoding === 'chunked' || transferEncoding === 'identity';
}

function codedInTransfer(host: string): Refusal {
  return {
    status: 502, decision: 'failed', reason: 'unscannable-body',
    remedy: `"${host}" answered in a transfer coding that was not asked for; it must use "chunked" alone, or none.`,
  };
}

function otherLength(host: string): Refusal {
  return {
    status: 502, decision: 'failed', reason: 'unscannable-body',
    remedy: `"${host}" answered with a secret in a message whose placeholder has another length, which would break the message: let the method return no secret.`,
  };
}

/** More than lies between two pieces of a body that is all there: a round trip, or a server that is busy. */
const quietMs = 100;
/** A client may wait for each message before it asks for the next; the end of an answer comes with the last one. */
const quietMsBetweenMessages = 10;

/** The four bytes that a message may end with, in base64. */
const inBase64Bytes = 6;

const length: ReadonlySet<string> = new Set(['content-length']);
/** True of the coded and unscrubbed bytes only. */
const aboutOriginalBytes: ReadonlySet<string> = new Set([
  'content-length', 'content-encoding', 'accept-ranges', 'content-md5', 'digest', 'content-digest', 'repr-digest',
]);

/** A strong ETag promises identical bytes (RFC 9110, 8.8.1). */
function weakenTag(rawHeaders: RawHeaders): RawHeaders {
  return rawHeaders.map((value, i) => (i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'etag' && value.startsWith('"') ? `W/${value}` : value));
}

/** Node refuses to write anything else. */
function printable(statusText: string, status: number): string {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : (STATUS_CODES[status] ?? '');
}
