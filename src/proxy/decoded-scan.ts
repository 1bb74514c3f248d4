import type { Transform } from 'node:stream';
import type { OutgoingScanner, SecretRefusal } from '../secrets/compile-secrets.ts';
import { createDecoder } from './coding.ts';

export type BodyRefusal = SecretRefusal | { reason: 'unscannable-body' };
type Outcome = BodyRefusal | null;

/** Looks into a coded body while it streams by. The decoded bytes are dropped: the coded ones are what goes on. */
export type DecodedScan = {
  /** `done` is called once everything the chunk decodes to was scanned. */
  push(chunk: Buffer, done: (outcome: Outcome) => void): void;
  end(done: (outcome: Outcome) => void): void;
  destroy(): void;
};

export function createDecodedScan({ coding, scanner }: { coding: string; scanner: OutgoingScanner }): DecodedScan {
  let decoder: Transform | null = null;
  let outcome: Outcome = null;
  let waiting: ((outcome: Outcome) => void) | null = null;

  const answer = () => {
    const done = waiting;
    waiting = null;
    done?.(outcome);
  };
  const open = (first: Buffer): Transform => {
    const stream = createDecoder(coding, first);
    stream.on('data', (bytes: Buffer) => {
      outcome ??= scanSafely(scanner, bytes);
    });
    stream.on('error', () => {
      // A body that cannot be decoded here might still be decoded by the server.
      outcome ??= { reason: 'unscannable-body' };
      answer();
    });
    stream.on('end', answer);
    return stream;
  };
  return {
    push(chunk, done) {
      decoder ??= open(chunk);
      waiting = done;
      // The write's callback comes when the chunk is decoded and its output was read.
      decoder.write(chunk, () => setImmediate(answer));
    },
    end(done) {
      waiting = done;
      if (decoder === null || outcome !== null || decoder.destroyed || decoder.readableEnded) answer();
      else decoder.end();
    },
    destroy() {
      decoder?.destroy();
    },
  };
}

/** An error in a stream's listener would end the process, and with it the run. */
export function scanSafely(scanner: OutgoingScanner, bytes: Buffer): BodyRefusal | null {
  try {
    return scanner.push(bytes);
  } catch {
    return { reason: 'unscannable-body' };
  }
}
