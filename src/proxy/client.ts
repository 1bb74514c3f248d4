import type { IncomingHttpHeaders } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import type { Destination } from '../policy/policy.ts';
import type { RawHeaders } from './headers.ts';
import type { Refusal } from './refusal.ts';
import type { WhenClosed } from './when-closed.ts';

/** What a client asks for: the same to the judge, whatever protocol it came over. */
export type ClientRequest = {
  version: '1.0' | '1.1' | '2';
  /** of the message itself, whatever it asks for */
  problem: Refusal | null;
  method: string;
  /** the target as it was sent */
  url: string;
  /** HTTP/2's names for what HTTP/1.1 says in Host and an absolute target; null where it is HTTP/1.1 */
  pseudo: { scheme: string | null; authority: string | null } | null;
  /** without pseudo-headers */
  rawHeaders: RawHeaders;
  headers: IncomingHttpHeaders;
  hasBody: boolean;
  /** never destroyed by whoever reads it: that would take the client's connection, or its answer, along */
  body: Readable;
  /** whether the whole of the body came in */
  isComplete(): boolean;
  /** what may be passed on of the request's trailers; known when the body has ended; null where there was no memory for them */
  trailers(): RawHeaders | null;
};

/** What a client is answered. */
export type ClientAnswer = {
  /** Takes the answer's body, and closes when the answer was sent or can no longer be. */
  stream: Writable;
  onClosed: WhenClosed;
  isStarted(): boolean;
  writeContinue(): void;
  start(head: AnswerHead): void;
  end(trailers: RawHeaders): void;
  /** A whole answer that tells the refusal. Only before `start`. */
  refuse(refusal: Refusal, destination: Destination): void;
  /** Breaks the answer off so that the client sees that it is not whole; HTTP/2 says why with an error code (RFC 9113, 7). */
  cut(errorCode?: number): void;
};

export type AnswerHead = {
  status: number;
  statusText: string;
  rawHeaders: RawHeaders;
  /** nothing follows, not even trailers: gRPC tells an answer of headers alone from one whose body is empty */
  isWhole: boolean;
};
