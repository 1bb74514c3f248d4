import type { Writable } from 'node:stream';

/** Writes a scrubbed body in pieces that do not show what the scrubber held back. */
export type EvenWriter = {
  /** `pendingBytes`: what is held back of all that came; `endsLine`: whether what came ends with a line. false: wait until the answer has drained. */
  write(bytes: Buffer, came: { pendingBytes: number; endsLine: boolean }): boolean;
  end(bytes: Buffer): void;
  destroy(): void;
};

export type EvenWriterOptions = {
  /** how many bytes a scrubber may hold back */
  behindBytes: number;
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
export function createEvenWriter(answer: Writable, { behindBytes, quietMs, isBusy }: EvenWriterOptions): EvenWriter {
  let waiting: Buffer = nothing;
  let timer: NodeJS.Timeout | null = null;
  let writes = 0;

  const pass = (bytes: Buffer, keptBytes: number): boolean => {
    const all = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    const end = Math.max(0, all.length - keptBytes);
    // A copy: the chunk's memory may be used again.
    waiting = end === all.length ? nothing : Buffer.from(all.subarray(end));
    return end === 0 || answer.write(all.subarray(0, end));
  };
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
      else pass(nothing, 0);
    });
  };
  return {
    write(bytes, { pendingBytes, endsLine }) {
      writes += 1;
      const mayFlow = pass(bytes, endsLine && pendingBytes === 0 ? 0 : Math.max(0, behindBytes - pendingBytes));
      if (waiting.length > 0) waitForQuiet();
      else stop();
      return mayFlow;
    },
    end(bytes) {
      stop();
      pass(bytes, 0);
    },
    destroy() {
      stop();
      waiting = nothing;
    },
  };
}

const nothing: Buffer = Buffer.alloc(0);
