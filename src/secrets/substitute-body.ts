import type { Destination } from '../policy/policy.ts';
import type { BodyReader, BodySink } from './body-reader.ts';
import { decideSwap } from './decide-swap.ts';
import { createFormReader } from './form-reader.ts';
import { createJsonReader } from './json-reader.ts';
import { createMultipartReader } from './multipart-reader.ts';
import type { SecretNeedles } from './outgoing-needles.ts';
import { parseContentType, type BodyKind } from './parse-content-type.ts';
import { createPinCounter, type PinCounter, type SecretUses } from './pin-counter.ts';
import type { Place } from './place.ts';
import { ANY_FIELD, isBound, refuseSeen, type SecretRefusal } from './refuse-seen.ts';
import type { Secret } from './secret.ts';
import { plainSpan, type Span } from './span.ts';
import { createDetector } from './stream-scanner.ts';
import { createSwapper, type Decision, type Swapped, type Swapper } from './swapper.ts';
import { writeValue, type Writing } from './write-value.ts';

export type OutgoingBody = { destination: Destination; method: string; contentType: string | null };

/**
 * One per request body, which must not be coded. Pass on what `push` and `end` give; after a refusal nothing, not even the end, so that the
 * server never takes the body for whole.
 */
export type BodySubstitution = {
  /** whether the body is as long after as before */
  keepsLength: boolean;
  push(chunk: Buffer): BodyStep;
  /** For bodies that are a row of messages, when one ends: gives what is held back of it, as it is known then to be right. */
  endMessage(): BodyStep;
  /** The last byte is given here, when all is known to be right. */
  end(): BodyStep;
  uses(): SecretUses;
};

export type BodyStep = { ok: true; bytes: Buffer } | ({ ok: false } & SecretRefusal);

/** null where no secret of the host is pinned to the body, or none to a part of such a body: it is then only searched. */
export function openBodySubstitution(needles: SecretNeedles, body: OutgoingBody): BodySubstitution | null {
  const pins = needles.secrets.filter((secret) => isBound(secret, body.destination.host)).flatMap((secret) =>
    (secret.pins?.places ?? []).flatMap((place): BodyPin[] => (place.kind === 'body' || place.kind === 'field' ? [{ secret, place }] : [])));
  const fields = pins.flatMap(({ place }) => (place.kind === 'field' ? [place] : []));
  const kind: BodyKind = fields.length === 0 ? { kind: 'other' } : parseContentType(body.contentType);
  // A body without fields: what is pinned to some is not put in, and cannot change its length.
  const relevant = kind.kind === 'other' ? pins.filter(({ place }) => place.kind === 'body') : pins;
  if (body.destination.scheme !== 'https' || relevant.length === 0) return null;
  const bodyKind = parseContentType(body.contentType).kind;
  return createBodySubstitution(needles, { body, pins: relevant, reader: createReader(kind, fields), writing: WRITINGS[kind.kind], bodyKind });
}

type BodyPin = { secret: Secret; place: Extract<Place, { kind: 'body' | 'field' }> };
type FieldPlace = Extract<Place, { kind: 'field' }>;
type Parts = { body: OutgoingBody; pins: readonly BodyPin[]; reader: BodyReader; writing: Writing; bodyKind: BodyKind['kind'] };

const WRITINGS: Readonly<Record<BodyKind['kind'], Writing>> = { json: 'json', form: 'query', multipart: 'raw', other: 'raw', unreadable: 'raw' };

function createReader(kind: BodyKind, fields: readonly FieldPlace[]): BodyReader {
  switch (kind.kind) {
    case 'json': return createJsonReader(fields.map(({ steps }) => steps));
    case 'form': return createFormReader(fields.map(({ name }) => name));
    case 'multipart': return createMultipartReader(kind.boundary, fields.map(({ name }) => name));
    case 'unreadable': return { push: () => kind.why, end: () => null };
    case 'other': return WHOLE;
  }
}

/** No part of the body is told from another. */
const WHOLE: BodyReader = {
  push(chunk, sink) {
    sink.outside(chunk);
    return null;
  },
  end: () => null,
};

function createBodySubstitution(needles: SecretNeedles, { body, pins, reader, writing, bodyKind }: Parts): BodySubstitution {
  const counter = createPinCounter();
  const detector = createDetector(needles.all);
  const keepsLength = pins.every((pin) => keepsLengthOf(pin, writing));
  const sink = createSwappingSink(needles, { body, pins, writing, counter, keepsLength });
  let isEmpty = true;
  /** its last byte, without which a body of known length is not whole */
  let last = NOTHING;

  const take = (problem: string | null, isEnd: boolean): BodyStep => {
    const refusal = problem === null ? sink.settle(isEnd) : refuseUnreadable(pins, problem);
    if (refusal !== null) return { ok: false, ...refusal };
    const { sent, rest } = sink.take();
    const seen = detector.push(rest);
    if (seen !== null) return { ok: false, ...refuseSeen(seen, { ...body, place: 'body', pin: ANY_FIELD, bodyKind })! };
    const bytes = last.length === 0 ? sent : Buffer.concat([last, sent]);
    last = isEnd ? NOTHING : Buffer.from(bytes.subarray(-1));
    if (isEnd || bytes.length === 0) return { ok: true, bytes };
    return { ok: true, bytes: bytes.subarray(0, -1) };
  };
  return {
    keepsLength,
    push(chunk) {
      if (chunk.length === 0) return { ok: true, bytes: chunk };
      isEmpty = false;
      return take(reader.push(chunk, sink), false);
    },
    endMessage: () => take(null, true),
    end: () => take(isEmpty ? null : reader.end(sink), true),
    uses: counter.uses,
  };
}

const NOTHING: Buffer = Buffer.alloc(0);

type SinkParts = Omit<Parts, 'reader' | 'bodyKind'> & { counter: PinCounter; keepsLength: boolean };

/** Collects what goes out while a reader tells what it reads. */
type SwappingSink = BodySink & {
  /** what speaks against sending what was read; at the end nothing is held back any longer */
  settle(isEnd: boolean): SecretRefusal | null;
  /** what may go out since the last time, and what of it is to be searched */
  take(): { sent: Buffer; rest: Buffer };
};

function createSwappingSink(needles: SecretNeedles, { body, pins, writing, counter, keepsLength }: SinkParts): SwappingSink {
  const fieldPins = pins.filter(({ place }) => place.kind === 'field');
  const isRaw = (place: Place): boolean => place.kind === 'body';
  const decideRaw = decideSwap({ request: body, counter, isPlace: isRaw, writing: 'raw', place: 'body' });
  /** Anywhere in the body means its bytes: what only stands for a placeholder there is none. */
  const decideOutside = (secret: Secret, found: Span): Decision => (found.raw.equals(found.decoded) ? decideRaw(secret, found) : { kind: 'leave' });
  const outside = pins.some(({ place }) => isRaw(place)) ? createSwapper(needles.placeholders, decideOutside) : null;
  let inside: Swapper | null = null;
  let swapped: Swapped = { sent: [], rest: [] };
  let refusal: SecretRefusal | null = null;

  const flush = (swapper: Swapper | null): void => {
    refusal ??= swapper?.flush(swapped) ?? null;
  };
  return {
    outside(raw) {
      if (outside !== null) {
        refusal ??= outside.push(plainSpan(raw), swapped);
        return;
      }
      swapped.sent.push(raw);
      swapped.rest.push(raw);
    },
    open(fields) {
      flush(outside);
      const opened = fields.map((index) => fieldPins[index]!.place);
      const decideField = decideSwap({ request: body, counter, isPlace: (place) => opened.some((one) => one === place), writing, place: 'body' });
      inside = createSwapper(needles.placeholders, (secret, found) => {
        const decision = decideField(secret, found);
        if (decision.kind === 'leave') return decideOutside(secret, found);
        const fits = !keepsLength || decision.kind !== 'swap' || decision.text.length === found.raw.length;
        return fits ? decision : { kind: 'refuse', refusal: refuseEscaped(secret) };
      });
    },
    inside(span) {
      refusal ??= inside!.push(span, swapped);
    },
    close() {
      flush(inside);
      inside = null;
    },
    settle(isEnd) {
      if (isEnd) flush(outside);
      return refusal;
    },
    take() {
      const { sent, rest } = swapped;
      swapped = { sent: [], rest: [] };
      return { sent: Buffer.concat(sent), rest: Buffer.concat(rest) };
    },
  };
}

/** A placeholder all of whose characters are written as they are, everywhere, is replaced by as many bytes as it has. */
function keepsLengthOf({ secret, place }: BodyPin, writing: Writing): boolean {
  const written = writeValue(secret.value, place.kind === 'body' ? 'raw' : writing);
  return /^[\w\-.]+$/.test(secret.placeholder) && written.length === secret.placeholder.length;
}

/** The length is announced before the body is read, so what changes it cannot be taken back. */
function refuseEscaped({ name }: Secret): SecretRefusal {
  return {
    reason: 'placeholder-wrong-place', secret: name, place: 'body, escaped',
    remedy: `Letters, digits, \`_\`, \`-\` and \`.\` need no escapes: write the placeholder of secret \`${name}\` without them, so that the body keeps its length.`,
  };
}

function refuseUnreadable(pins: readonly BodyPin[], problem: string): SecretRefusal {
  const { secret, place } = pins.find((pin) => pin.place.kind === 'field')!;
  return {
    reason: 'unreadable-body', secret: secret.name, place: 'body',
    remedy: `Secret \`${secret.name}\` is pinned to \`${place.text}\`, but the body ${problem}: send a body that is what its Content-Type says.`,
  };
}
