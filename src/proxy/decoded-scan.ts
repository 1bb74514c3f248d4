import type { SecretRefusal } from '../secrets/compile-secrets.ts';
import { openDecoder } from './decoder.ts';
import { MemoryUsedUp, type Reservation } from './memory-budget.ts';

/** `remedy`: where another one than for a coding that cannot be undone is needed. */
export type BodyRefusal = SecretRefusal | { reason: 'unscannable-body'; remedy?: string } | { reason: 'capacity' };

/** Looks at a body piece by piece: pass one on when `push` returns null; else neither it nor anything after it. */
export type BodyScan = { push(chunk: Buffer): BodyRefusal | null };

type Outcome = BodyRefusal | null;

/** Looks into a coded body while it streams by. The decoded bytes are dropped: the coded ones are what goes on. */
export type DecodedScan = {
  /** `done` is called once everything the chunk decodes to was scanned. */
  push(chunk: Buffer, done: (outcome: Outcome) => void): void;
  end(done: (outcome: Outcome) => void): void;
  destroy(): void;
};

/** `memory` has `decoderBytes` of the coding, and is released here */
export type DecodedScanOptions = { coding: string; scanner: BodyScan; memory: Reservation };

export function createDecodedScan({ coding, scanner, memory }: DecodedScanOptions): DecodedScan {
  let outcome: Outcome = null;
  const decoder = openDecoder(coding, {
    take(bytes) {
      outcome ??= scanSafely(scanner, bytes);
      // Nothing more of it is worth the work.
      if (outcome !== null) throw new Error('the body is refused');
    },
    // A server may read on where this decoder stops.
    surplus: 'refuse',
    memory,
  });
  let work = Promise.resolve();
  const next = (step: () => Promise<void>, done: (outcome: Outcome) => void) => {
    work = work.then(step);
    work.then(() => done(outcome), (error: unknown) => {
      // A body that cannot be decoded here might still be decoded by the server.
      outcome ??= error instanceof MemoryUsedUp ? { reason: 'capacity' } : { reason: 'unscannable-body' };
      done(outcome);
    });
  };
  const destroy = () => {
    decoder.destroy();
    memory.release();
  };
  return {
    push: (chunk, done) => next(() => decoder.push(chunk), done),
    end: (done) => next(() => decoder.end(), (result) => {
      destroy();
      done(result);
    }),
    destroy,
  };
}

/** An error in a stream's listener would end the process, and with it the run. */
export function scanSafely(scanner: BodyScan, bytes: Buffer): BodyRefusal | null {
  try {
    return scanner.push(bytes);
  } catch {
    return { reason: 'unscannable-body' };
  }
}
