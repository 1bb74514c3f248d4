import type { Needles } from './compile-needles.ts';

export type Replacer = {
  /** The bytes that may be passed on now: the very `chunk` where nothing was found or held back; may be empty. */
  push(chunk: Buffer): Buffer;
  flush(): Buffer;
};

/**
 * Replaces hits in a stream. The output does not depend on how the input was cut into chunks: it is what one pass over
 * the whole would give, leftmost hit first and the longest there. Held back is only a tail that is a proper prefix of
 * some needle, so a server-sent event arrives at once.
 */
export function createReplacer<Tag>(needles: Needles<Tag>, replace: (tag: Tag) => Uint8Array): Replacer {
  let held = NOTHING;

  function scan(text: Buffer, final: boolean): Buffer {
    const parts: Uint8Array[] = [];
    let copied = 0;
    let end = final ? text.length : needles.tailStart(text, 0);
    // A hit behind the beginning of a possible longer or earlier one waits until that one is decided.
    for (let hit = needles.find(text, 0); hit !== null && hit.start < end; hit = needles.find(text, copied)) {
      parts.push(text.subarray(copied, hit.start), replace(hit.tag));
      copied = hit.end;
      if (!final && end < copied) end = needles.tailStart(text, copied);
    }
    held = end === text.length ? NOTHING : Buffer.from(text.subarray(end)); // a copy: the chunk's memory may be used again
    if (parts.length === 0) return end === text.length ? text : text.subarray(0, end);
    parts.push(text.subarray(copied, end));
    return Buffer.concat(parts);
  }

  return {
    push: (chunk) => scan(held.length === 0 ? chunk : Buffer.concat([held, chunk]), false),
    flush: () => scan(held, true),
  };
}

export type Detector<Tag> = {
  /** What was found in the stream up to and including this chunk, or null. */
  push(chunk: Buffer): Tag | null;
};

/**
 * Finds the first hit in a stream and holds nothing back: the chunk that completes a needle is the one to stop. Holding
 * back a tail that begins like a real secret would tell a sandbox that talks to a server of its own, by what arrives and
 * when, how far a guess is right, and so give the secret away one character at a time.
 */
export function createDetector<Tag>(needles: Needles<Tag>): Detector<Tag> {
  let tail = NOTHING;
  return {
    push(chunk) {
      const text = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const hit = needles.find(text, 0);
      if (hit !== null) return hit.tag;
      const start = needles.tailStart(text, 0);
      tail = start === text.length ? NOTHING : Buffer.from(text.subarray(start));
      return null;
    },
  };
}

const NOTHING: Buffer = Buffer.alloc(0);
