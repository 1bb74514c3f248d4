import type { BodyReader, BodySink } from './body-reader.ts';
import { partName } from './part-name.ts';
import { plainSpan } from './span.ts';

/**
 * Reads multipart/form-data (RFC 2046, section 5.1; RFC 7578) more strictly than either: programs differ in what they take for a
 * delimiter, and a part must not end for the server elsewhere than here. So the boundary occurs in delimiters alone,
 * lines end with CRLF, and nothing but an empty line stands before the first or behind the last.
 */
export function createMultipartReader(boundary: string, names: readonly string[]): BodyReader {
  const dashed = Buffer.from(`--${boundary}`, 'latin1');
  const wanted = names.map((name) => Buffer.from(name).toString('latin1'));
  let state: 'start' | 'head' | 'content' | 'end' = 'start';
  let fields: readonly number[] = [];
  let held: Buffer = Buffer.alloc(0);

  const passContent = (raw: Buffer, sink: BodySink): void => {
    if (raw.length === 0) return;
    if (fields.length > 0) sink.inside(plainSpan(raw));
    else sink.outside(raw);
  };
  /** The end of the delimiter at `at`; null: not yet there; or what is wrong. */
  const readDelimiter = (text: Buffer, at: number): number | string | null => {
    const after = at + dashed.length;
    if (text[after] === HYPHEN) {
      if (text[after + 1] === undefined) return null;
      if (text[after + 1] !== HYPHEN) return BROKEN;
      state = 'end';
      return after + 2;
    }
    // Nor space behind it, which RFC 2046 allows: to many readers what has some is no delimiter.
    const rest = text.subarray(after, after + 2);
    if (!rest.equals(CRLF.subarray(0, rest.length))) return BROKEN;
    if (rest.length < 2) return null;
    state = 'head';
    return after + 2;
  };
  /** What one state makes of the text: how much of it was read, 0 where more is needed. */
  const step = (text: Buffer, sink: BodySink): number | string => {
    if (state === 'end') return readEnd(text, sink);
    if (state === 'head') return readHead(text, sink);
    const at = text.indexOf(dashed);
    if (state === 'start') {
      const begin = text.subarray(0, 2).equals(CRLF) ? 2 : 0;
      if (at === -1 ? text.length >= dashed.length + 2 : at !== begin) return 'does not begin with its boundary';
      if (at === -1) return 0;
    } else if (at === -1) {
      const free = Math.max(0, text.length - dashed.length - 1);
      passContent(text.subarray(0, free), sink);
      return free;
    } else if (at < 2 || !text.subarray(at - 2, at).equals(CRLF)) {
      return BROKEN;
    }
    const wasContent = state === 'content';
    const end = readDelimiter(text, at);
    if (typeof end === 'string') return end;
    if (end === null) return 0;
    const contentEnd = wasContent ? at - 2 : 0;
    if (wasContent) passContent(text.subarray(0, contentEnd), sink);
    if (fields.length > 0) sink.close();
    fields = [];
    sink.outside(text.subarray(contentEnd, end));
    return end;
  };
  const readHead = (text: Buffer, sink: BodySink): number | string => {
    const isEmpty = text.subarray(0, 2).equals(CRLF);
    const end = isEmpty ? 0 : text.indexOf(HEAD_END);
    if (end > MAX_HEAD_BYTES || (end === -1 && text.length >= MAX_HEAD_BYTES + HEAD_END.length)) return `has a part with more than ${MAX_HEAD_BYTES} bytes of headers`;
    if (end === -1) return 0;
    const head = text.subarray(0, isEmpty ? 2 : end + HEAD_END.length);
    if (head.includes(dashed)) return BROKEN;
    const name = partName(head.toString('latin1'));
    state = 'content';
    fields = wanted.flatMap((one, index) => (one === name ? [index] : []));
    sink.outside(head);
    if (fields.length > 0) sink.open(fields);
    return head.length;
  };
  const readEnd = (text: Buffer, sink: BodySink): number | string => {
    const rest = text.subarray(0, 2);
    if (!rest.equals(CRLF.subarray(0, rest.length))) return 'goes on behind its last boundary';
    if (rest.length < 2) return 0;
    sink.outside(rest);
    return 2;
  };

  return {
    push(chunk, sink) {
      let text = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (text.length > 0) {
        const read = step(text, sink);
        if (typeof read === 'string') return read;
        if (read === 0) break;
        text = text.subarray(read);
      }
      held = Buffer.from(text);
      return null;
    },
    end: () => (state === 'end' && held.length === 0 ? null : 'ends before its last boundary'),
  };
}

const HYPHEN = 0x2d;
const CRLF: Buffer = Buffer.from('\r\n');
const HEAD_END = '\r\n\r\n';
const MAX_HEAD_BYTES = 8192;
const BROKEN = 'has its boundary where no part ends, or lines that do not end with CRLF';
