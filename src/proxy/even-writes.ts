import type { Writable } from 'node:stream';
import type { BodyScrubber, EvenScrubber } from '../secrets/compile-secrets.ts';

/** Writes a scrubbed body in pieces that do not show what the scrubber held back. */
export type EvenWriter = {
  /** false: wait until the answer has drained */
  write(chunk: Buffer): boolean;
  /** The last bytes, for the caller to write. */
  end(chunk: Buffer | null): Buffer;
  destroy(): void;
};

export type EvenWriterOptions = {
  scrubber: EvenScrubber;
  /** after how long nothing more is waited for */
  quietMs: number;
  /** whether more of the body is here that was not written yet */
  isBusy(): boolean;
};

/**
 * Where a piece of the answer ends is seen by the sandbox: held back alone, what begins like a value would tell it, in an echo of guesses,
 * which of them are right, one character after another. So the end of every piece waits, as much of it as could be held back, for the next
 * piece or the end of the body, or until nothing has come for a while. Only what ends with a line does not: no form of a value has a line break.
 */
export function createEvenWriter(answer: Writable, { scrubber, quietMs, isBusy }: EvenWriterOptions): EvenWriter {
  let timer: NodeJS.Timeout | null = null;
  let writes = 0;

  const pass = (bytes: Buffer): boolean => bytes.length === 0 || answer.write(bytes);
  const stop = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  const waitForQuiet = () => {
    if (timer === null) timer = setTimeout(onQuiet, quietMs);
    else timer.refresh();
  };
  const onQuiet = () => {
    const before = writes;
    // What came while the process was busy is read before this is called.
    setImmediate(() => {
      if (timer === null || writes !== before) return;
      // While the client reads nothing, nor is the server read: whether it has more to say is not known.
      if (answer.writableNeedDrain) answer.once('drain', () => timer?.refresh());
      else if (isBusy()) timer.refresh();
      else pass(scrubber.settle({ ifWhole: false }));
    });
  };
  return {
    write(chunk) {
      writes += 1;
      const pushed = scrubber.push(chunk);
      const mayFlow = pass(chunk.at(-1) === lineFeed ? Buffer.concat([pushed, scrubber.settle({ ifWhole: true })]) : pushed);
      if (scrubber.isBehind()) waitForQuiet();
      else stop();
      return mayFlow;
    },
    end(chunk) {
      stop();
      return chunk === null ? scrubber.flush() : Buffer.concat([scrubber.push(chunk), scrubber.flush()]);
    },
    destroy: stop,
  };
}

const lineFeed = 0x0a;

/** For a scrubber that holds back no more than it has to. */
export function keepBehind(scrubber: BodyScrubber): EvenScrubber {
  let waiting: Buffer = nothing;
  const pass = (bytes: Buffer, keptBytes: number): Buffer => {
    const all = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    const end = Math.max(0, all.length - keptBytes);
    // A copy: the chunk's memory may be used again.
    waiting = end === all.length ? nothing : Buffer.from(all.subarray(end));
    return all.subarray(0, end);
  };
  return {
    push: (chunk) => pass(scrubber.push(chunk), Math.max(0, scrubber.mostPendingBytes - scrubber.pendingBytes())),
    settle: ({ ifWhole }) => (ifWhole && scrubber.pendingBytes() > 0 ? nothing : pass(nothing, 0)),
    isBehind: () => waiting.length > 0,
    flush: () => pass(scrubber.flush(), 0),
    counts: scrubber.counts,
  };
}

const nothing: Buffer = Buffer.alloc(0);
