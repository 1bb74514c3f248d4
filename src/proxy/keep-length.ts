import type { BodyScrubber } from '../secrets/compile-secrets.ts';

/**
 * A scrubber for bodies that say lengths of their own, as gRPC does before each message: what would make the body longer or
 * shorter is not passed on, nor is anything after it, and `onOtherLength` is called once.
 */
export function keepLength(scrubber: BodyScrubber, onOtherLength: () => void): BodyScrubber {
  let owedBytes = 0;
  let isBroken = false;
  const check = (bytes: Buffer): Buffer => {
    if (isBroken || scrubber.torn() !== null) return nothing;
    owedBytes -= bytes.length;
    if (owedBytes === scrubber.pendingBytes()) return bytes;
    isBroken = true;
    onOtherLength();
    return nothing;
  };
  return {
    ...scrubber,
    push(chunk) {
      owedBytes += chunk.length;
      return isBroken ? nothing : check(scrubber.push(chunk));
    },
    flush: () => check(scrubber.flush()),
    endMessage: () => (isBroken ? nothing : check(scrubber.endMessage())),
  };
}

const nothing: Buffer = Buffer.alloc(0);
