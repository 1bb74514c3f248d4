import type { Span } from './span.ts';

/** Reads a body as it streams by and says which of its bytes are whose value. All bytes come out again, in order. */
export type BodyReader = {
  /** null, or why the body cannot be read: the end of a sentence that begins with "the body". Nothing may follow then. */
  push(chunk: Buffer, sink: BodySink): string | null;
  end(sink: BodySink): string | null;
};

export type BodySink = {
  /** bytes of no value that was asked for */
  outside(raw: Buffer): void;
  /** a value begins; `fields` are the indices of those that were asked for it */
  open(fields: readonly number[]): void;
  inside(span: Span): void;
  close(): void;
};
