import { STATUS_CODES } from 'node:http';
import type { ResponseScrubber } from '../secrets/compile-secrets.ts';
import { addUse } from './audit.ts';
import { parseCoding } from './coding.ts';
import type { Exchange } from './exchange.ts';
import { forwardableResponseHeaders, headerValue, withoutHeaders, type RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';
import { createDirectSink, createScrubbedSink, type ResponseSink } from './response-sink.ts';

export type UpstreamResponse = { status: number; statusText: string; rawHeaders: RawHeaders };

export type PreparedResponse = {
  ok: true;
  statusText: string;
  rawHeaders: RawHeaders;
  scrubber: ResponseScrubber | null;
  openSink(events: { onDrain(): void; onError(): void }): ResponseSink;
};

/** Decides how an answer goes back: untouched, or, from a host a secret is bound to, decoded and scrubbed. */
export function prepareResponse(exchange: Exchange, upstream: UpstreamResponse): PreparedResponse | { ok: false; refusal: Refusal } {
  const { answer, destination, context, draft } = exchange;
  const rawHeaders = forwardableResponseHeaders(upstream.rawHeaders);
  const scrubber = context.secrets.scrubberFor(destination.host);
  if (scrubber === null) {
    const statusText = printable(upstream.statusText, upstream.status);
    return { ok: true, statusText, rawHeaders, scrubber, openSink: ({ onDrain }) => createDirectSink(answer.stream, onDrain) };
  }

  const coding = parseCoding(headerValue(rawHeaders, 'content-encoding'));
  if (coding === 'unknown') {
    return {
      ok: false,
      refusal: {
        status: 502, decision: 'failed', reason: 'unscannable-body',
        remedy: `"${destination.host}" answered in a content coding that cannot be scrubbed of secrets; ask for gzip, deflate, br or none.`,
      },
    };
  }
  const headers = scrubber.scrubHeaders(withoutHeaders(rawHeaders, aboutOriginalBytes));
  const statusText = scrubber.scrubHeaderValue(printable(upstream.statusText, upstream.status));
  for (const { name, scrubs } of [...headers.counts, ...statusText.counts]) addUse(draft, name, { scrubs });
  return {
    ok: true,
    statusText: statusText.text,
    rawHeaders: weakenTag(headers.rawHeaders),
    scrubber,
    openSink: (events) => createScrubbedSink(answer.stream, {
      ...events,
      scrubber,
      coding,
      onScrubs: (counts) => {
        for (const { name, scrubs } of counts) addUse(draft, name, { scrubs });
      },
    }),
  };
}

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
