import type { BodyScrubber } from '../secrets/compile-secrets.ts';
import { createBase64Reader } from './base64-reader.ts';
import { createBase64Writer } from './base64-writer.ts';
import type { BodyScan } from './decoded-scan.ts';
import { refuseMessages } from './refuse-messages.ts';
import type { AnswerProblem } from './scrub-messages.ts';
import type { BodySteps, SubstitutedStep } from './substituted-body.ts';

/** For messages in base64: what they stand for is scanned by `messages`, and the text as it stands by `text`, as a server might not decode it. */
export function scanTextMessages(messages: BodyScan, text: BodyScan): BodyScan {
  const reader = createBase64Reader();
  return {
    push(chunk) {
      const read = reader.push(chunk);
      return (read && messages.push(read.bytes)) ?? text.push(chunk) ?? (read === null ? refuseMessages('not-base64') : null);
    },
  };
}

/**
 * Puts real values into messages in base64, which is padded in the same places after: a body of known length keeps it. `text` looks
 * through the text as it stands for what may be in no body.
 */
export function substituteTextMessages(messages: BodySteps, text: BodyScan): BodySteps {
  const reader = createBase64Reader();
  const writer = createBase64Writer();
  const write = (step: SubstitutedStep): SubstitutedStep => (step.ok ? { ok: true, bytes: writer.push(step.bytes) } : step);
  return {
    push(chunk) {
      const refusal = text.push(chunk);
      if (refusal !== null) return { ok: false, ...refusal };
      const read = reader.push(chunk);
      if (read === null) return { ok: false, ...refuseMessages('not-base64') };
      read.segmentEnds.forEach(writer.endSegment);
      return write(messages.push(read.bytes));
    },
    end: () => (reader.isWhole() ? write(messages.end()) : { ok: false, ...refuseMessages('not-base64') }),
  };
}

export type ScrubTextOptions = {
  /** for the text as it stands, in which nothing can be replaced */
  text: BodyScrubber;
  /** called at most once; nothing more is passed on */
  onProblem(problem: AnswerProblem): void;
};

/**
 * Scrubs what messages in base64 stand for, with `messages` keeping its length, and pads it in the same places after. A group of four that holds
 * the end of one message and what is held back of the next waits for that: the server has begun it already, and no reader takes a part of a group.
 * The text as it stands is held back where a value may begin in it, too, as a message is: its reader need not decode it.
 */
export function scrubTextMessages(messages: BodyScrubber, { text, onProblem }: ScrubTextOptions): BodyScrubber {
  const reader = createBase64Reader();
  const writer = createBase64Writer();
  let isBroken = false;
  let pendingBytes = 0;
  const stop = (problem: AnswerProblem): Buffer => {
    if (!isBroken) onProblem(problem);
    isBroken = true;
    return nothing;
  };
  const write = (bytes: Buffer, end: () => Buffer): Buffer => {
    const parts = [text.push(writer.push(bytes)), end()];
    const secret = text.torn() ?? text.counts()[0]?.name ?? null;
    if (secret !== null) return stop({ kind: 'in-text', secret });
    const passed = Buffer.concat(parts);
    pendingBytes -= passed.length;
    return passed;
  };
  return {
    ...messages,
    mostPendingBytes: Math.max(inBase64(messages.mostPendingBytes), text.mostPendingBytes),
    pendingBytes: () => pendingBytes,
    push(chunk) {
      if (isBroken) return nothing;
      const read = reader.push(chunk);
      if (read === null) return stop({ kind: 'not-base64' });
      pendingBytes += chunk.length;
      read.segmentEnds.forEach(writer.endSegment);
      return write(messages.push(read.bytes), text.endMessage);
    },
    flush() {
      if (isBroken) return nothing;
      return reader.isWhole() ? write(messages.flush(), text.flush) : stop({ kind: 'not-base64' });
    },
  };
}

/** So many bytes, and those of a group at either end. */
function inBase64(bytes: number): number {
  return 4 * Math.ceil(bytes / 3) + 8;
}

const nothing: Buffer = Buffer.alloc(0);
