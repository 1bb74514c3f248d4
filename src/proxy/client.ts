import type { IncomingHttpHeaders } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';

/** What a client asks for: the same to the judge, whatever protocol it came over. */
export type ClientRequest = {
  version: '1.0' | '1.1' | '2';
  method: string;
  /** the target as it was sent */
  url: string;
  rawHeaders: RawHeaders;
  headers: IncomingHttpHeaders;
  hasBody: boolean;
  /** never destroyed by whoever reads it: that would take the client's connection, or its answer, along */
  body: Readable;
  /** whether the whole of the body came in */
  isComplete(): boolean;
};

/** What a client is answered. */
export type ClientAnswer = {
  /** Takes the answer's body, and closes when the answer was sent or can no longer be. */
  stream: Writable;
  isStarted(): boolean;
  writeContinue(): void;
  start(head: { status: number; statusText: string; rawHeaders: RawHeaders }): void;
  end(trailers: RawHeaders): void;
  /** A whole answer that tells the refusal. Only before `start`. */
  refuse(refusal: Refusal, destination: Destination): void;
  /** Breaks the answer off so that the client sees that it is not whole. */
  cut(): void;
};
