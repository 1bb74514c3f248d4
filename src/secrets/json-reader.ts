import type { BodyReader, BodySink } from './body-reader.ts';
import { createJsonPath } from './json-path.ts';
import { NUMBER_ENDS, numberClass, NUMBER_START, NUMBER_STEPS } from './json-number.ts';
import type { FieldStep } from './place.ts';
import type { Span } from './span.ts';

/** Beyond this, readers differ in whether they take a body at all (PHP's limit is 512, Jackson's 1,000, .NET's 64). */
export const MAX_JSON_DEPTH = 512;

/**
 * Reads JSON as RFC 8259 defines it and nothing else: UTF-8 without a byte order mark, one value. A string at one of the
 * `fields` is a value that was asked for, unescaped. What cannot be decided at the end of a chunk (an escape, a
 * word, a character of several bytes: fewer than 12 bytes) waits for the next.
 */
export function createJsonReader(fields: readonly (readonly FieldStep[])[]): BodyReader {
  const path = createJsonPath(fields);
  let carry: Buffer = Buffer.alloc(0);
  let expected: Expected = 'value';
  let numberState = 0;
  let inString: 'key' | 'value' | null = null;
  let pinned: readonly number[] = [];

  function push(chunk: Buffer, sink: BodySink): string | null {
    const text = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    let at = 0;
    let emitted = 0;
    const passOutside = (to: number): void => {
      if (to > emitted) sink.outside(text.subarray(emitted, to));
      emitted = to;
    };
    const stop = (to: number): null => {
      passOutside(to);
      carry = to === text.length ? Buffer.alloc(0) : Buffer.from(text.subarray(to));
      return null;
    };
    while (at < text.length) {
      if (inString === null) {
        const next = readToken(text, at);
        if (typeof next === 'string') return next;
        if (next === null) return stop(at);
        at = next;
        if (inString !== null && pinned.length > 0) {
          passOutside(at);
          sink.open(pinned);
        }
        continue;
      }
      const span = pinned.length > 0 ? createSpan(text, at) : null;
      const read = readString(text, at, span);
      if (typeof read === 'string') return read;
      if (span !== null) {
        const finished = span.finish(read.at);
        if (finished.raw.length > 0) sink.inside(finished);
        emitted = read.at;
      } else if (inString === 'key') {
        path.addToKey(text.subarray(at, read.at));
      }
      at = read.at;
      if (!read.closed) return stop(at);
      at += 1;
      if (span !== null) sink.close();
      endString();
    }
    return stop(at);
  }

  /** Where the token ends that begins at `at`; null: that depends on the next chunk; or what is wrong. */
  function readToken(text: Buffer, at: number): number | string | null {
    const byte = text[at]!;
    if (numberState > 0) {
      const state = NUMBER_STEPS[numberState]![numberClass(byte)];
      if (state !== undefined) {
        numberState = state;
        return at + 1;
      }
      if (!NUMBER_ENDS.has(numberState)) return NOT_JSON;
      numberState = 0;
      endValue();
    }
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) return at + 1;
    switch (expected) {
      case 'value':
      case 'value-or-end':
        if (byte === 0x5d && expected === 'value-or-end') return endContainer(at);
        return beginValue(text, at);
      case 'key':
      case 'key-or-end':
        if (byte === 0x7d && expected === 'key-or-end') return endContainer(at);
        if (byte !== 0x22) return NOT_JSON;
        inString = 'key';
        pinned = [];
        path.beginKey();
        return at + 1;
      case 'colon':
        if (byte !== 0x3a) return NOT_JSON;
        expected = 'value';
        return at + 1;
      case 'comma-or-end':
        if (byte === 0x2c) {
          expected = path.isObject() ? 'key' : 'value';
          path.nextItem();
          return at + 1;
        }
        return byte === (path.isObject() ? 0x7d : 0x5d) ? endContainer(at) : NOT_JSON;
      case 'nothing':
        return NOT_JSON;
    }
  }

  function beginValue(text: Buffer, at: number): number | string | null {
    const byte = text[at]!;
    if (byte === 0x22) {
      inString = 'value';
      pinned = path.fieldsHere();
      return at + 1;
    }
    if (byte === 0x7b || byte === 0x5b) {
      if (path.depth() === MAX_JSON_DEPTH) return `is nested deeper than ${MAX_JSON_DEPTH} levels`;
      path.enter(byte === 0x7b ? 'object' : 'array');
      expected = byte === 0x7b ? 'key-or-end' : 'value-or-end';
      return at + 1;
    }
    const start = NUMBER_START[numberClass(byte)];
    if (start !== undefined) {
      numberState = start;
      return at + 1;
    }
    const word = WORDS.get(byte);
    if (word === undefined) return NOT_JSON;
    const found = text.subarray(at, at + word.length);
    if (!found.equals(word.subarray(0, found.length))) return NOT_JSON;
    if (found.length < word.length) return null;
    endValue();
    return at + word.length;
  }

  function endContainer(at: number): number {
    path.leave();
    endValue();
    return at + 1;
  }

  function endString(): void {
    const isKey = inString === 'key';
    inString = null;
    pinned = [];
    if (!isKey) return endValue();
    path.endKey();
    expected = 'colon';
  }

  function endValue(): void {
    expected = path.depth() === 0 ? 'nothing' : 'comma-or-end';
  }

  return {
    push,
    end() {
      if (numberState > 0 && NUMBER_ENDS.has(numberState) && path.depth() === 0) return null;
      return expected === 'nothing' && carry.length === 0 ? null : 'ends before its JSON does';
    },
  };
}

type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'nothing';

const NOT_JSON = 'is not valid JSON';
const WORDS: ReadonlyMap<number, Buffer> = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));

/** What a string stands for, as far as it was read. */
type SpanBuilder = { add(byte: number, end: number): void; finish(to: number): Span };

function createSpan(text: Buffer, from: number): SpanBuilder {
  const quote = text.indexOf(0x22, from);
  // Sized for the one string, not for all that is left: there may be thousands in a chunk.
  let decoded = Buffer.allocUnsafe((quote === -1 ? text.length : quote) - from);
  let ends = new Uint32Array(decoded.length);
  let count = 0;
  const grow = (): void => {
    const [oldDecoded, oldEnds] = [decoded, ends];
    decoded = Buffer.allocUnsafe(2 * count + 16);
    decoded.set(oldDecoded);
    ends = new Uint32Array(decoded.length);
    ends.set(oldEnds);
  };
  return {
    add(byte, end) {
      if (count === decoded.length) grow();
      decoded[count] = byte;
      ends[count++] = end - from;
    },
    finish: (to) => ({ raw: text.subarray(from, to), decoded: decoded.subarray(0, count), ends: ends.subarray(0, count) }),
  };
}

/** Reads on in a string as far as that can be decided: to its closing quote, or to where the next chunk is needed. */
function readString(text: Buffer, from: number, span: SpanBuilder | null): { at: number; closed: boolean } | string {
  let at = from;
  while (at < text.length) {
    const byte = text[at]!;
    if (byte === 0x22) return { at, closed: true };
    if (byte < 0x20) return NOT_JSON;
    if (byte === 0x5c) {
      const escape = readEscape(text, at);
      if (escape === null) return NOT_JSON;
      if (escape === 'cut') return { at, closed: false };
      at += escape.length;
      span?.add(escape.byte, at);
    } else if (byte < 0x80) {
      at += 1;
      span?.add(byte, at);
    } else {
      const length = utf8Length(text, at);
      if (length === 0) return 'is not valid UTF-8';
      if (length < 0) return { at, closed: false };
      for (const end = at + length; at < end; at += 1) span?.add(text[at]!, at + 1);
    }
  }
  return { at, closed: false };
}

const SIMPLE_ESCAPES: ReadonlyMap<number, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(([name, char]) => [name.charCodeAt(0), char.charCodeAt(0)]),
);

/** No placeholder has a character beyond ASCII; this byte is in no UTF-8 either. */
const BEYOND_ASCII = 0xff;

function readEscape(text: Buffer, at: number): { length: number; byte: number } | 'cut' | null {
  const kind = text[at + 1];
  if (kind === undefined) return 'cut';
  if (kind !== 0x75) {
    const byte = SIMPLE_ESCAPES.get(kind);
    return byte === undefined ? null : { length: 2, byte };
  }
  const hex = text.subarray(at + 2, at + 6).toString('latin1');
  if (!/^[0-9a-f]*$/i.test(hex)) return null;
  if (hex.length < 4) return 'cut';
  const unit = Number.parseInt(hex, 16);
  return { length: 6, byte: unit < 0x80 ? unit : BEYOND_ASCII };
}

/** Bytes of the character at `at`: 0 where it is not UTF-8 (Unicode 3.9, table 3-7), negative where it may be, once more of it is there. */
function utf8Length(text: Buffer, at: number): number {
  const lead = text[at]!;
  const length = lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i += 1) {
    const byte = text[at + i];
    if (byte === undefined) return -1;
    if (byte < (i === 1 ? low : 0x80) || byte > (i === 1 ? high : 0xbf)) return 0;
  }
  return length;
}
