import type { BodyReader, BodySink } from '../../src/secrets/body-reader.ts';
import type { Span } from '../../src/secrets/span.ts';
import { check } from './bytes.ts';

export type ReadBody = {
  values: { fields: readonly number[]; raw: Buffer; decoded: Buffer }[];
  /** all that came out */
  passed: Buffer;
  problem: string | null;
};

/** Reads a body in pieces, and checks that each span says where in its bytes what stands for which byte: `undo` reads one of them by itself. */
export function readBody(reader: BodyReader, pieces: readonly Buffer[], undo: (raw: Buffer) => Buffer | null): ReadBody {
  const values: ReadBody['values'] = [];
  const passed: Buffer[] = [];
  let isOpen = false;
  const sink: BodySink = {
    outside(raw) {
      check(!isOpen, 'nothing is outside while a value is open');
      passed.push(Buffer.from(raw));
    },
    open(fields) {
      check(!isOpen && fields.length > 0, 'a value begins where none is open');
      isOpen = true;
      values.push({ fields: [...fields], raw: Buffer.alloc(0), decoded: Buffer.alloc(0) });
    },
    inside(span) {
      check(isOpen && span.raw.length > 0, 'what is inside is of an open value');
      checkSpan(span, undo);
      passed.push(Buffer.from(span.raw));
      const last = values.at(-1)!;
      last.raw = Buffer.concat([last.raw, span.raw]);
      last.decoded = Buffer.concat([last.decoded, span.decoded]);
    },
    close() {
      check(isOpen, 'what ends has begun');
      isOpen = false;
    },
  };
  let problem: string | null = null;
  for (const piece of pieces) problem ??= reader.push(piece, sink);
  problem ??= reader.end(sink);
  check(problem !== null || !isOpen, 'every value ends');
  return { values, passed: Buffer.concat(passed), problem };
}

function checkSpan({ raw, decoded, ends }: Span, undo: (raw: Buffer) => Buffer | null): void {
  if (ends === null) return check(raw.equals(decoded), 'what has no ends stands for itself');
  check(ends.length === decoded.length && ends.at(-1) === raw.length, 'a span ends where its bytes do');
  for (let i = 0; i < decoded.length; i += 1) {
    const undone = undo(raw.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!));
    check(undone === null || undone.equals(decoded.subarray(i, i + 1)), 'each byte is what its bytes stand for');
  }
}
