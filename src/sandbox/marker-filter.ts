export type MarkerFilter = {
  /** what may be passed on, and whether the marker came */
  push(chunk: Buffer): { bytes: Buffer; ended: boolean };
  /** what was held back when the stream ended without a marker */
  flush(): Buffer;
};

/**
 * Takes the marker that the sandbox's first process writes after everything else out of the command's output.
 * Only a tail that could be the marker's beginning is held back; it starts with a NUL byte, so text is never delayed.
 */
export function createMarkerFilter(token: string): MarkerFilter {
  const marker = Buffer.from(`\0decoy:${token}:`, 'latin1');
  let held: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const start = all.indexOf(marker);
      if (start >= 0) return { bytes: all.subarray(0, start), ended: true };
      const keep = partialLength(all, marker);
      held = all.subarray(all.length - keep);
      return { bytes: all.subarray(0, all.length - keep), ended: false };
    },
    flush: () => held,
  };
}

/** Length of the longest end of `bytes` that is a beginning of `marker`. */
function partialLength(bytes: Buffer, marker: Buffer): number {
  for (let length = Math.min(marker.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(marker.subarray(0, length))) return length;
  }
  return 0;
}
