import type { Readable } from 'node:stream';
import type { BodySubstitution } from '../secrets/compile-secrets.ts';
import { addUse } from './audit.ts';
import type { BodyRefusal } from './decoded-scan.ts';
import { refuse, type Exchange } from './exchange.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import { memoryUsedUp, type Reservation } from './memory-budget.ts';
import { messageFraming } from './message-framing.ts';
import type { Refusal } from './refusal.ts';
import { createRequestBody } from './request-body.ts';
import { pickRefusal, secretBlocked, unscannable } from './request-refusals.ts';
import { scanMessages } from './scan-messages.ts';
import { substituteMessages } from './substitute-messages.ts';
import { createSubstitutedBody } from './substituted-body.ts';
import { scanTextMessages, substituteTextMessages } from './text-messages.ts';
import { createWaitingMemory } from './waiting-memory.ts';

export type BodyOptions = { headers: RawHeaders; coded: { coding: string; memory: Reservation } | null; pinned: BodySubstitution | null; onRefusal(): void };

/** The body as the upstream gets it: searched, and swapped in where a secret is pinned to it. `onRefusal` is called before a refusal is answered. */
export function openBody(exchange: Exchange, { headers, coded, pinned, onRefusal }: BodyOptions): Readable {
  const { request, draft, destination, context: { secrets, memory } } = exchange;
  const isScanned = secrets.list.length > 0;
  const framing = messageFraming(headers);
  const contentType = headerValue(headers, 'content-type');
  const createScanner = () => secrets.createOutgoingScanner(destination, { contentType });
  const createPlainScanner = () => {
    if (framing === null) return createScanner();
    const messages = scanMessages(createScanner(), framing);
    return framing.isText ? scanTextMessages(messages, createScanner()) : messages;
  };
  const substitutionOf = (whole: BodySubstitution) => {
    if (framing === null) return whole;
    const messages = substituteMessages(whole, framing);
    return framing.isText ? substituteTextMessages(messages, secrets.createOutgoingScanner(destination, { contentType, isRealOnly: true })) : messages;
  };
  const events = {
    waiting: createWaitingMemory(memory, waitingBodyBytes),
    judgeTrailers: () => judgeTrailers(exchange),
    onBytes: (count: number) => {
      draft.requestBytes += count;
    },
    onRefusal: (refusal: BodyRefusal) => {
      // The upstream request first: nothing of the body may follow.
      onRefusal();
      refuse(exchange, renderBodyRefusal(refusal, exchange));
    },
  };
  if (pinned !== null) {
    const onOver = () => {
      for (const { name, substitutions } of pinned.uses()) addUse(draft, name, { substitutions });
    };
    return createSubstitutedBody(request, { ...events, substitution: substitutionOf(pinned), coded, onOver });
  }
  return createRequestBody(request, {
    ...events,
    scanner: isScanned ? (coded === null ? createPlainScanner() : createScanner()) : null,
    decoded: coded === null ? null : { ...coded, scanner: createPlainScanner() },
  });
}

/** A chunk each in the connection to the upstream, in the body and in the one to the client, with HTTP/2's window of 64 KiB. */
const waitingBodyBytes = 192 << 10;

function renderBodyRefusal(refusal: BodyRefusal, { context }: Exchange): Refusal {
  if ('secret' in refusal) return secretBlocked(refusal);
  return refusal.reason === 'capacity' ? memoryUsedUp(context.memory) : { ...unscannable, ...refusal };
}

/** No trailer is a credential: named otherwise, one that is called so is searched like any other header. */
function judgeTrailers({ request, destination, context: { secrets } }: Exchange): BodyRefusal | null {
  const trailers = request.trailers();
  if (trailers === null) return { reason: 'capacity' };
  if (trailers.length === 0 || secrets.list.length === 0) return null;
  const rawHeaders = trailers.map((text, i) => (i % 2 === 0 ? `trailer-${text}` : text));
  const judged = secrets.substituteRequest({ method: request.method, url: '/', rawHeaders, destination });
  return judged.ok ? null : pickRefusal(judged);
}
