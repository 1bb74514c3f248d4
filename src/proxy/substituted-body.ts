import { pipeline, Transform, type Readable } from 'node:stream';
import type { ClientRequest } from './client.ts';
import type { BodyRefusal } from './decoded-scan.ts';
import { windowBytes } from './decoder-memory.ts';
import type { Reservation } from './memory-budget.ts';
import { createDecoder, createEncoder } from './node-codings.ts';
import type { WaitingMemory } from './waiting-memory.ts';

export type SubstitutedStep = { ok: true; bytes: Buffer } | ({ ok: false } & BodyRefusal);

/** As of `BodySubstitution`. */
export type BodySteps = { push(chunk: Buffer): SubstitutedStep; end(): SubstitutedStep };

export type SubstitutedBodyOptions = {
  substitution: BodySteps;
  /** one of Node's own; `memory` has its `decoderBytes` and `encoderBytes`, and is released here */
  coded: { coding: string; memory: Reservation } | null;
  /** for what the upstream does not take */
  waiting: WaitingMemory;
  /** asked when the body has ended */
  judgeTrailers(): BodyRefusal | null;
  onBytes(count: number): void;
  /** called at most once; nothing more is passed on, and the body does not end */
  onRefusal(refusal: BodyRefusal): void;
  /** called once, when nothing more will be put in */
  onOver(): void;
};

/**
 * The body with real values put in, with back-pressure to the client; a coded one is decoded before and coded the same way
 * after. As `createRequestBody`, it is not the request itself and does not destroy it.
 */
export function createSubstitutedBody(request: ClientRequest, options: SubstitutedBodyOptions): Readable {
  const { body: source } = request;
  const { substitution, coded, waiting } = options;
  let isOver = false;
  let first: Transform | null = null;

  const output = new Transform({
    transform(chunk: Buffer, _, done) {
      options.onBytes(chunk.length);
      done(null, chunk);
    },
  });
  const refuse = (refusal: BodyRefusal) => {
    if (isOver) return;
    isOver = true;
    options.onRefusal(refusal);
    output.destroy(new Error('refused'));
  };
  const substitute = new Transform({
    transform: (chunk: Buffer, _, done) => give(() => substitution.push(chunk), done),
    flush: (done) => give(() => substitution.end(), done),
  });
  const give = (step: () => SubstitutedStep, done: (error?: Error | null, bytes?: Buffer) => void) => {
    const result = stepSafely(step);
    if (result.ok) return done(null, result.bytes);
    refuse(result);
    done(new Error('refused'));
  };
  const open = (chunk: Buffer): Transform => {
    const stages = coded === null ? [substitute, output] : [createDecoder(coded.coding, chunk), substitute, createEncoder(coded.coding, chunk), output];
    const [entrance] = stages as [Transform];
    // Before the pipeline's own listener, which destroys all. A body that cannot be decoded here might still be decoded by the server.
    if (coded !== null) entrance.once('error', () => refuse({ reason: 'unscannable-body' }));
    pipeline(stages, () => undefined);
    entrance.on('drain', () => {
      waiting.flow();
      source.resume();
    });
    return entrance;
  };

  stopsWith(output, () => {
    isOver = true;
    coded?.memory.release();
    waiting.flow();
    options.onOver();
    // What the client still sends is swallowed, or its connection could never carry another request.
    source.resume();
  });
  source.on('data', (chunk: Buffer) => {
    if (isOver) return;
    if (first === null && coded !== null && !coded.memory.grow(windowBytes(coded.coding, chunk))) return refuse({ reason: 'capacity' });
    first ??= open(chunk);
    if (first.write(chunk)) return;
    source.pause();
    if (!waiting.wait()) refuse({ reason: 'capacity' });
  });
  source.once('end', () => {
    if (isOver) return;
    // An HTTP/2 stream that was reset ends, too; its body must not look whole.
    if (!request.isComplete()) return void output.destroy(new Error('the client went away'));
    const refusal = options.judgeTrailers();
    if (refusal !== null) return refuse(refusal);
    (first ?? output).end();
  });
  source.once('close', () => {
    if (!request.isComplete() && !isOver) output.destroy(new Error('the client went away'));
  });
  return output;
}

/** An error that nobody listens for would end the process. */
function stopsWith(output: Transform, onClose: () => void): void {
  output.on('error', () => undefined);
  output.once('close', onClose);
}

function stepSafely(step: () => SubstitutedStep): SubstitutedStep {
  try {
    return step();
  } catch {
    return { ok: false, reason: 'unscannable-body' };
  }
}
