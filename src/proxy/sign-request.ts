import { Readable } from 'node:stream';
import type { SignatureClaim, SignedHeaders, SignedRequest } from '../secrets/compile-secrets.ts';
import { addUse } from './audit.ts';
import { refuse, type Exchange } from './exchange.ts';
import type { RawHeaders } from './headers.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { notSigned, secretBlocked } from './request-refusals.ts';

export type UnsignedRequest = { method: string; url: string; headers: RawHeaders; body: Readable | null };

/** `exchange` knows what was signed, so that it is taken out of the answer. */
export type SendSigned = (exchange: Exchange, headers: RawHeaders, body: Readable | null) => void;

/**
 * Makes the signatures the request came with again, with real values, over what is sent, and sends it. A body that is covered is held until its end, in the
 * memory for bodies.
 */
export function signRequest(exchange: Exchange, claim: SignatureClaim, { body, ...request }: UnsignedRequest, send: SendSigned): void {
  if (body === null || !claim.coversBody) return signAndSend(exchange, claim, { ...request, chunks: [] }, (signed, headers) => send(signed, headers, body), body);
  const { answer, context: { memory } } = exchange;
  const held = memory.reserve(0)!;
  answer.onClosed(() => held.release());
  const chunks: Buffer[] = [];
  body.on('data', (chunk: Buffer) => {
    if (body.destroyed) return;
    chunks.push(chunk);
    if (held.grow(chunk.length + chunkBytes)) return;
    chunks.length = 0;
    held.release();
    body.destroy();
    refuse(exchange, memoryUsedUp(memory));
  });
  body.once('end', () => answer.stream.destroyed || signAndSend(exchange, claim, { ...request, chunks }, (signed, headers) => send(signed, headers, Readable.from(chunks, { objectMode: false })), null));
  // The client went away.
  body.once('error', () => answer.cut());
}

/** Measured: what a chunk takes besides its bytes, which may be one. */
const chunkBytes = 512;

type Signing = Omit<UnsignedRequest, 'body'> & { chunks: readonly Buffer[] };

function signAndSend(exchange: Exchange, claim: SignatureClaim, { method, url, headers, chunks }: Signing, send: (exchange: Exchange, headers: RawHeaders) => void, unsent: Readable | null): void {
  const signed = signSafely(claim, { method, url, rawHeaders: headers, body: chunks });
  if (signed === null || !signed.ok) {
    unsent?.destroy();
    return refuse(exchange, signed === null ? notSigned : secretBlocked(signed));
  }
  const { answer, draft, context: { memory } } = exchange;
  const scrubber = memory.reserve(signed.uses.length * scrubberBytes);
  if (scrubber === null) {
    unsent?.destroy();
    return refuse(exchange, memoryUsedUp(memory));
  }
  answer.onClosed(() => scrubber.release());
  for (const { name, substitutions } of signed.uses) addUse(draft, name, { substitutions });
  send(signed.scrubber === null ? exchange : { ...exchange, signatures: signed.scrubber }, signed.rawHeaders);
}

/** An error in a stream's listener would end the process, and with it the run. */
function signSafely(claim: SignatureClaim, sent: SignedRequest): SignedHeaders | null {
  try {
    return claim.sign(sent);
  } catch {
    return null;
  }
}

/** Measured: the forms of one signature, compiled. */
const scrubberBytes = 256 << 10;
