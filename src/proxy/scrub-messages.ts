import type { BodyScrubber } from '../secrets/compile-secrets.ts';
import type { MessageFraming } from './message-framing.ts';
import type { MessageProblem } from './read-messages.ts';
import { createMessageSplitter } from './split-messages.ts';

/** Why the rest of an answer's messages is not passed on. */
export type AnswerProblem = { kind: MessageProblem | 'not-base64' } | { kind: 'torn' | 'in-text'; secret: string };

export type ScrubMessagesOptions = {
  framing: MessageFraming;
  /** called at most once; nothing more is passed on */
  onProblem(problem: AnswerProblem): void;
};

/**
 * A scrubber that lets a finished message wait for nothing. Where messages end is said by whoever wrote them, and what the sandbox has a server
 * repeat may be written as a message: so only the scrubber decides how much of a beginning may go (`endMessage`), and it goes on looking across the
 * end. The five bytes before a message are searched like any others.
 */
export function scrubMessages(scrubber: BodyScrubber, { framing, onProblem }: ScrubMessagesOptions): BodyScrubber {
  const split = createMessageSplitter(framing);
  let isBroken = false;
  const stop = (problem: AnswerProblem): Buffer => {
    if (!isBroken) onProblem(problem);
    isBroken = true;
    return nothing;
  };
  const unlessTorn = (parts: readonly Buffer[]): Buffer => {
    const secret = scrubber.torn();
    if (secret !== null) return stop({ kind: 'torn', secret });
    const full = parts.filter((part) => part.length > 0);
    return full.length === 1 ? full[0]! : Buffer.concat(full);
  };
  return {
    ...scrubber,
    push(chunk) {
      if (isBroken) return nothing;
      const pieces = split(chunk);
      if (typeof pieces === 'string') return stop({ kind: pieces });
      return unlessTorn(pieces.flatMap(({ bytes, isEnd }) => (isEnd ? [scrubber.push(bytes), scrubber.endMessage()] : [scrubber.push(bytes)])));
    },
    flush: () => (isBroken ? nothing : unlessTorn([scrubber.flush()])),
  };
}

const nothing: Buffer = Buffer.alloc(0);
