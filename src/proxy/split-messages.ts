import type { MessageFraming } from './message-framing.ts';
import { createMessageReader, type MessageProblem } from './read-messages.ts';

/** A part of a chunk that holds bytes of one message, and whether that ends with it. */
export type MessagePiece = { bytes: Buffer; isEnd: boolean };

/** One per body: the chunk in pieces of single messages, or why nothing more of the body can be passed on. */
export type MessageSplitter = (chunk: Buffer) => MessagePiece[] | MessageProblem;

export function createMessageSplitter(framing: MessageFraming): MessageSplitter {
  const reader = createMessageReader(framing);
  return (chunk) => {
    const read = reader.push(chunk);
    if (!read.ok) return read.problem;
    let from = 0;
    const pieces = read.ends.map((end) => {
      const bytes = chunk.subarray(from, end);
      from = end;
      return { bytes, isEnd: true };
    });
    return from === chunk.length ? pieces : [...pieces, { bytes: chunk.subarray(from), isEnd: false }];
  };
}
