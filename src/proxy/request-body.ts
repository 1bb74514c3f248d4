import { Readable } from 'node:stream';
import type { ClientRequest } from './client.ts';
import { createDecodedScan, scanSafely, type BodyRefusal, type BodyScan, type DecodedScan, type DecodedScanOptions } from './decoded-scan.ts';
import { gatherTurn } from './gather-turn.ts';
import type { WaitingMemory } from './waiting-memory.ts';

export type RequestBodyOptions = {
  /** null where there are no secrets: the body then passes unread */
  scanner: BodyScan | null;
  /** for a body with a content coding: scans what it says once decoded */
  decoded: DecodedScanOptions | null;
  /** for what the upstream does not take */
  waiting: WaitingMemory;
  /** asked when the body has ended */
  judgeTrailers(): BodyRefusal | null;
  onBytes(count: number): void;
  /** called at most once; nothing more is passed on */
  onRefusal(refusal: BodyRefusal): void;
};

/**
 * The body as it may go upstream, with back-pressure to the client. It is not the request itself, as undici destroys the body
 * it was given when the answer comes early, and destroying a request closes the client's connection.
 */
export function createRequestBody(request: ClientRequest, options: RequestBodyOptions): Readable {
  const { body: source } = request;
  const { scanner, waiting, onBytes } = options;
  const decoded: DecodedScan | null = options.decoded === null ? null : createDecodedScan(options.decoded);
  let isOver = false;
  let isScanning = false;
  /** Of a coded body: its last chunk, kept until the next or the verified end, so that a broken one never arrives whole. */
  let held: Buffer | null = null;

  const body = new Readable({
    highWaterMark: AHEAD_BYTES,
    read() {
      waiting.flow();
      if (!isScanning) source.resume();
    },
    destroy(error, callback) {
      stop();
      // What the client still sends is swallowed, or its connection could never carry another request.
      source.resume();
      callback(error);
    },
  });
  const stop = () => {
    isOver = true;
    held = null;
    gatherer.drop();
    decoded?.destroy();
    waiting.flow();
  };
  const refuse = (refusal: BodyRefusal) => {
    if (isOver) return;
    stop();
    options.onRefusal(refusal);
  };
  /** false: until it is read, or for good */
  const scan = (chunk: Buffer): boolean => {
    const refusal = scanner === null ? null : scanSafely(scanner, chunk);
    if (refusal !== null) {
      refuse(refusal);
      return false;
    }
    onBytes(chunk.length);
    if (body.push(chunk)) return true;
    source.pause();
    if (!waiting.wait()) refuse({ reason: 'capacity' });
    return false;
  };
  const gatherer = gatherTurn({ take: scan, isFull: () => source.isPaused(), onDrain: () => source.resume() });

  source.on('data', (chunk: Buffer) => {
    if (isOver) return;
    if (decoded === null) {
      if (!gatherer.write(chunk)) source.pause();
      return;
    }
    // A chunk is passed on only once everything it decodes to was looked at.
    isScanning = true;
    source.pause();
    decoded.push(chunk, (refusal) => {
      isScanning = false;
      if (refusal !== null) return refuse(refusal);
      if (held !== null) scan(held);
      if (isOver) return;
      held = chunk;
      if (body.readableLength < body.readableHighWaterMark) source.resume();
    });
  });
  const finish = () => {
    const refusal = options.judgeTrailers();
    if (refusal !== null) return refuse(refusal);
    body.push(null);
  };
  source.once('end', () => {
    if (isOver) return;
    // An HTTP/2 stream that was reset ends, too; its body must not look whole.
    if (!request.isComplete()) return void body.destroy(new Error('the client went away'));
    if (decoded === null) {
      const rest = gatherer.drop();
      if (rest !== null) scan(rest);
      if (!isOver) finish();
      return;
    }
    decoded.end((refusal) => {
      if (refusal !== null) return refuse(refusal);
      if (held !== null) scan(held);
      if (!isOver) finish();
    });
  });
  source.once('close', () => {
    if (!request.isComplete() && !isOver) body.destroy(new Error('the client went away'));
  });
  return body;
}

/** One read of Node's sockets. */
const AHEAD_BYTES = 64 << 10;
