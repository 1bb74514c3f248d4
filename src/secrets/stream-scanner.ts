import type { Needles } from './compile-needles.ts';

export type Replacer<Tag> = {
  /** The bytes that may be passed on now; may be empty. */
  push(chunk: Buffer): Buffer;
  /** The same, but for the last bytes, as many as may ever be held back: where what is passed on ends does not show what is held. */
  pushEvenly(chunk: Buffer): Buffer;
  /** What `pushEvenly` kept for no other reason; `ifWhole`: or nothing, unless it is all. */
  settle(options: { ifWhole: boolean }): Buffer;
  flush(): Buffer;
  /** how many bytes were pushed that neither were passed on nor replaced yet */
  pendingBytes(): number;
  /**
   * Passes on what is held back although it is not decided, where it and what it continues are at most so many bytes, or no more of a needle than
   * is known. What follows is still compared with it.
   */
  release(atMostBytes: number): Buffer;
  /** What a hit that begins in released bytes stands for, or null so far. It cannot be replaced any more, so nothing of the rest is passed on. */
  torn(): Tag | null;
};

/**
 * Replaces hits in a stream: of all needles that begin at one place the longest, and no byte of any hit is passed on, also
 * where hits overlap (each that reaches further than those before it leaves its replacement). The output does not depend
 * on how the input was cut into chunks. Held back is only a tail that is a proper prefix of some needle, so a
 * server-sent event arrives at once.
 */
export function createReplacer<Tag>(needles: Needles<Tag>, replace: (tag: Tag) => Uint8Array): Replacer<Tag> {
  const keptBytes = Math.max(0, needles.longest - 1);
  let held = NOTHING;
  /** how many bytes of `held` an earlier hit has replaced, or a release passed on already */
  let covered = 0;
  /** how many of them, replaced ones before others included, a release passed on */
  let released = 0;
  let torn: Tag | null = null;

  /** Hits that begin at or behind `end` wait: of one there, a longer or an earlier one may yet come. */
  function scan(text: Buffer, end: number): Buffer {
    const parts: Uint8Array[] = [];
    let copied = covered;
    for (let hit = needles.find(text, 0); hit !== null && hit.start < end; hit = needles.find(text, hit.start + 1)) {
      if (hit.start < released) return tear(hit.tag);
      if (hit.end <= copied) continue;
      parts.push(text.subarray(copied, Math.max(copied, hit.start)), replace(hit.tag));
      copied = hit.end;
    }
    // A copy, as the chunk's memory may be used again; of as many bytes whatever is held, and so are the steps before and after.
    const kept = Buffer.from(text.subarray(Math.max(0, text.length - keptBytes)));
    held = kept.subarray(kept.length - (text.length - end));
    covered = Math.max(0, copied - end);
    released = Math.max(0, released - end);
    if (copied === 0) return text.subarray(0, end);
    parts.push(text.subarray(copied, Math.max(copied, end)));
    return Buffer.concat(parts);
  }

  function add(chunk: Buffer, endOf: (text: Buffer) => number): Buffer {
    if (torn !== null) return NOTHING;
    // Put together even where nothing is held, for what is held is not to be told from the time.
    const text = Buffer.concat([held, chunk]);
    return scan(text, endOf(text));
  }

  function tear(tag: Tag): Buffer {
    torn = tag;
    held = NOTHING;
    covered = released = 0;
    return NOTHING;
  }

  return {
    push: (chunk) => add(chunk, (text) => needles.tailStart(text, 0)),
    pushEvenly: (chunk) => add(chunk, (text) => Math.max(0, text.length - keptBytes)),
    settle({ ifWhole }) {
      const end = needles.tailStart(held, 0);
      return ifWhole && end < held.length ? NOTHING : scan(held, end);
    },
    flush: () => scan(held, held.length),
    pendingBytes: () => held.length - covered,
    release(atMostBytes) {
      // A whole hit may be in there that waits for a longer one.
      if (held.length === covered || needles.hasSecretTail(held, atMostBytes) || needles.find(held, 0) !== null) return NOTHING;
      const bytes = held.subarray(covered);
      covered = released = held.length;
      return bytes;
    },
    torn: () => torn,
  };
}

/** The same for a short latin1 text, one character a byte. */
export function replaceInText<Tag>(needles: Needles<Tag>, text: string, replace: (tag: Tag) => Uint8Array): string {
  const bytes = Buffer.from(text, 'latin1');
  if (needles.find(bytes, 0) === null) return text;
  const replacer = createReplacer(needles, replace);
  return Buffer.concat([replacer.push(bytes), replacer.flush()]).toString('latin1');
}

export type Detector<Tag> = {
  /** What was found in the stream up to and including this chunk, or null. `isSearched`: the chunk by itself is known to hold nothing. */
  push(chunk: Buffer, options?: PushOptions): Tag | null;
};

export type PushOptions = { isSearched?: boolean };

/**
 * Finds the first hit in a stream and holds nothing back: the chunk that completes a needle is the one to stop. Holding
 * back a tail that begins like a real secret would tell a sandbox that talks to a server of its own, by what arrives and
 * when, how far a guess is right, and so give the secret away one character at a time. So would looking at how a chunk ends, by the time
 * it takes: what a needle may begin in is kept of every chunk, whatever it is.
 */
export function createDetector<Tag>(needles: Needles<Tag>): Detector<Tag> {
  const keptBytes = Math.max(0, needles.longest - 1);
  let recent = NOTHING;
  let filled = 0;

  /** Keeps so many bytes more, and as many of those before as a needle may begin in. */
  const append = (bytes: Buffer): void => {
    if (filled + bytes.length > recent.length) {
      const kept = recent.subarray(Math.max(0, filled - keptBytes), filled);
      const needed = kept.length + bytes.length;
      const target = needed > recent.length ? Buffer.allocUnsafeSlow(2 * needed) : recent;
      kept.copy(target);
      [recent, filled] = [target, kept.length];
    }
    bytes.copy(recent, filled);
    filled += bytes.length;
  };
  return {
    push(chunk, { isSearched = false } = {}) {
      // Where it can be helped, the chunk itself is searched and not a copy: only where it joins what came before are the two put together.
      const isWhole = filled === 0 || chunk.length > keptBytes;
      const isJoined = filled > 0 && chunk.length > 0;
      if (isJoined) append(chunk.length > keptBytes ? chunk.subarray(0, keptBytes) : chunk);
      const joined = isJoined ? needles.findBehind(recent.subarray(0, filled), filled - Math.min(chunk.length, keptBytes)) : null;
      const hit = joined ?? (isWhole && !isSearched ? needles.find(chunk, 0) : null);
      if (hit !== null) return hit.tag;
      if (!isWhole) return null;
      filled = 0;
      append(chunk.subarray(Math.max(0, chunk.length - keptBytes)));
      return null;
    },
  };
}

const NOTHING: Buffer = Buffer.alloc(0);
