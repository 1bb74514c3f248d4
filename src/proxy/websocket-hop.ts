import type { Duplex } from 'node:stream';
import { Receiver, Sender, type Extensions } from 'ws';
import type { Reservation } from './memory-budget.ts';
import { memoryUsedUpCode, openInflater } from './message-inflater.ts';
import { aroundBytes, createMessageMemory } from './message-memory.ts';

/** A message is held whole while it is read; what is larger ends the connection with 1009. */
export const maxMessageBytes = 16 << 20;

export type HopEvents = {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(data: Buffer): void;
  /** a Close frame; 1005 where it says no code */
  onClose(code: number, reason: Buffer): void;
  /** what came is no WebSocket, or too large; `code` is the one to close with */
  onInvalid(code: number): void;
  /** the connection is gone; `isClean`: after a Close frame */
  onGone(isClean: boolean): void;
};

/** One WebSocket connection of the two that are joined. */
export type Hop = {
  send(data: Buffer, isBinary: boolean): void;
  ping(data: Buffer): void;
  pong(data: Buffer): void;
  close(code: number, reason: Buffer): void;
  /** whether a Close frame came */
  isClosing(): boolean;
  /** Calls back, at once or later, when what was sent is on its way. */
  whenTaken(callback: () => void): void;
  /** Starts reading. After each piece of what arrives `whenTaken` of the other hop is awaited. */
  read(other: Pick<Hop, 'whenTaken'>): void;
  destroy(): void;
};

/** `memory` grows by what is held of messages, in both directions */
export type HopOptions = { socket: Duplex; extensions: Extensions; memory: Reservation; isServer: boolean; events: HopEvents };

/** RFC 6455's registry of close codes: the server has no room. */
export const tryAgainLater = 1013;

export function openHop({ socket, extensions, memory, isServer, events }: HopOptions): Hop {
  const message = createMessageMemory(memory);
  const inflater = openInflater(message, extensions);
  const receiver = new Receiver({ isServer, extensions: inflater.extensions, maxPayload: maxMessageBytes, maxFragments, maxBufferedChunks });
  const sender = new Sender(socket, extensions);
  const mask = !isServer;
  let pendingBytes = 0;
  let waiting: (() => void) | null = null;
  let isCloseSent = false;
  let isCloseReceived = false;
  let isInvalid = false;

  const canSend = () => !isCloseSent && !socket.destroyed;
  const fail = (code: number) => {
    isInvalid = true;
    events.onInvalid(code);
  };
  /** What to call once it is sent; nothing where there is no room. */
  const count = (dataBytes: number): (() => void) | undefined => {
    if (!canSend()) return;
    // As it is and as TLS encrypts it; many that are empty weigh, too.
    const bytes = 2 * dataBytes + aroundBytes;
    if (!memory.grow(bytes)) return void fail(tryAgainLater);
    pendingBytes += bytes;
    return () => {
      memory.shrink(bytes);
      pendingBytes -= bytes;
      if (pendingBytes > highWaterBytes) return;
      const resume = waiting;
      waiting = null;
      resume?.();
    };
  };
  const endWhenClosed = () => {
    // RFC 6455, section 7.1.1: the server ends the connection first; a client that waits for it in vain is ended by the relay's timer.
    if (isCloseSent && isCloseReceived) socket.end();
  };

  receiver.on('message', (data, isBinary) => {
    message.settle();
    events.onMessage(data, isBinary);
  }).on('ping', events.onPing).on('pong', events.onPong);
  receiver.on('conclude', (code, reason) => {
    isCloseReceived = true;
    events.onClose(code, reason);
    endWhenClosed();
  });
  receiver.on('error', (error) => fail(closeCodes[error.code ?? ''] ?? 1002));
  socket.once('close', () => {
    inflater.close();
    events.onGone(isCloseReceived);
  });

  const feed = (chunk: Buffer, at: number, other: Pick<Hop, 'whenTaken'>) => {
    // What follows a Close frame or an error is nothing to anybody.
    if (at >= chunk.length || isCloseReceived || isInvalid) return void socket.resume();
    const piece = chunk.subarray(at, at + pieceBytes);
    if (!message.add(piece.length)) return fail(tryAgainLater);
    receiver.write(piece, () => other.whenTaken(() => feed(chunk, at + pieceBytes, other)));
  };

  return {
    send(data, isBinary) {
      const sent = count(data.length);
      if (sent) sender.send(data, { binary: isBinary, compress: 'permessage-deflate' in extensions, fin: true, mask }, sent);
    },
    ping(data) {
      const sent = count(data.length);
      if (sent) sender.ping(data, mask, sent);
    },
    pong(data) {
      const sent = count(data.length);
      if (sent) sender.pong(data, mask, sent);
    },
    close(code, reason) {
      if (!canSend()) return;
      isCloseSent = true;
      sender.close(code === noCode ? undefined : code, reason, mask, endWhenClosed);
    },
    isClosing: () => isCloseReceived,
    whenTaken(callback) {
      if (pendingBytes <= highWaterBytes || socket.destroyed) callback();
      else waiting = callback;
    },
    read(other) {
      socket.on('data', (chunk: Buffer) => {
        socket.pause();
        feed(chunk, 0, other);
      });
      socket.resume();
    },
    destroy: () => void socket.destroy(),
  };
}

/** How much may wait to be sent before no more is read on the other side. */
const highWaterBytes = 512 << 10;
/** Read in one go: a compressed piece can become a thousand times as much. */
const pieceBytes = 16 << 10;
/** Bounds on what a message may be cut into, as each piece costs memory of its own beside its bytes. */
const maxFragments = 16_384;
const maxBufferedChunks = 65_536;
/** RFC 6455, section 7.4.1: stands for a Close frame without a code, and is never sent. */
const noCode = 1005;

const closeCodes: Readonly<Record<string, number>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009, WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009, WS_ERR_TOO_MANY_BUFFERED_PARTS: 1009,
  [memoryUsedUpCode]: tryAgainLater, WS_ERR_INVALID_UTF8: 1007, Z_DATA_ERROR: 1007, Z_BUF_ERROR: 1007,
};
