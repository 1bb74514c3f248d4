import type { MessageFraming } from './message-framing.ts';

/** What makes messages unreadable: they are compressed, or are none. */
export type MessageProblem = 'compressed' | 'malformed';

export type MessageEnds =
  /** where in the chunk messages end, as offsets behind their last byte, ascending */
  | { ok: true; ends: readonly number[] }
  | { ok: false; problem: MessageProblem };

/** Follows the messages of one body. Of a chunk with a problem nothing may be passed on, nor anything behind it. */
export type MessageReader = { push(chunk: Uint8Array): MessageEnds };

/** Keeps no bytes: it holds four numbers however long a message says it is. */
export function createMessageReader({ flags }: MessageFraming): MessageReader {
  let prefixBytes = 0;
  /** of the message behind a whole prefix, else the length as far as it was read */
  let leftBytes = 0;
  let problem: MessageProblem | null = null;

  const takePrefix = (byte: number): void => {
    if (prefixBytes === 0) {
      problem = problemOf(byte, flags);
      leftBytes = 0;
    } else {
      leftBytes = leftBytes * 256 + byte;
    }
    prefixBytes += 1;
  };
  return {
    push(chunk) {
      const ends: number[] = [];
      for (let at = 0; at < chunk.length && problem === null;) {
        if (prefixBytes < PREFIX_BYTES) takePrefix(chunk[at++]!);
        if (prefixBytes < PREFIX_BYTES) continue;
        const taken = Math.min(leftBytes, chunk.length - at);
        at += taken;
        leftBytes -= taken;
        if (leftBytes > 0) continue;
        ends.push(at);
        prefixBytes = 0;
      }
      return problem === null ? { ok: true, ends } : { ok: false, problem };
    },
  };
}

const PREFIX_BYTES = 5;
/** The lowest bit of the flags, in gRPC, gRPC-Web and Connect alike. */
const COMPRESSED = 1;

function problemOf(byte: number, flags: ReadonlySet<number>): MessageProblem | null {
  if (flags.has(byte)) return null;
  return (byte & COMPRESSED) !== 0 && flags.has(byte & ~COMPRESSED) ? 'compressed' : 'malformed';
}
