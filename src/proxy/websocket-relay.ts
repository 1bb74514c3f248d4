import type { Duplex } from 'node:stream';
import type { Extensions } from 'ws';
import { answerScrubber } from './answer-scrubber.ts';
import { decoderBytes, encoderBytes } from './decoder-memory.ts';
import { memoryUsedUp, type MemoryBudget, type Reservation } from './memory-budget.ts';
import { noteRefusal, type Refusal } from './refusal.ts';
import type { Exchange } from './exchange.ts';
import { openHop, tryAgainLater, type Hop, type HopEvents } from './websocket-hop.ts';
import { createMessageFilter, type Filtered } from './websocket-filter.ts';

export type RelayOptions = Record<'client' | 'upstream', { socket: Duplex; extensions: Extensions }> & {
  /** has `hopsBytes`, and is released here */
  memory: Reservation;
};

/** What two WebSocket connections hold between messages. */
export function hopsBytes({ isCompressed }: { isCompressed: boolean }): number {
  return 2 * (hopBytes + (isCompressed ? decoderBytes('deflate') + encoderBytes('deflate') : 0));
}

/** Passes on messages, pings and the closing handshake of two WebSocket connections, as far as the filter lets them. */
export function relayMessages(exchange: Exchange, options: RelayOptions): void {
  const { context, destination, draft } = exchange;
  const filter = createMessageFilter({ secrets: context.secrets, destination, draft, scrubber: answerScrubber(exchange) });
  const where = `"${destination.host}:${destination.port}"`;
  let isOver = false;
  let changedControl: Buffer | null = null;
  let timer: NodeJS.Timeout | undefined;

  const destroyBoth = () => {
    client.destroy();
    upstream.destroy();
  };
  const endWithin = (ms: number) => {
    timer ??= setTimeout(destroyBoth, ms);
  };
  const fail = (code: number, failure: Omit<Refusal, 'status'>) => {
    if (isOver) return;
    isOver = true;
    noteRefusal(draft, { ...failure, status: 101 });
    client.close(code, Buffer.from(`${failure.decision} by decoy: ${failure.reason}`));
    // The upstream is told nothing of the reason: it could be asked by the sandbox what it heard.
    upstream.close(failure.decision === 'blocked' ? goingAway : code, Buffer.alloc(0));
    endWithin(abruptMs);
  };
  const take = (filtered: Filtered, pass: (data: Buffer) => void) => {
    if (isOver) return;
    if ('refusal' in filtered) fail(policyViolation, filtered.refusal);
    else pass(filtered.data);
  };
  const eventsOf = (side: 'client' | 'upstream', other: () => Hop): HopEvents => {
    const isUp = side === 'client';
    const { message, control } = isUp ? filter.leaving : filter.arriving;
    const takeControl = (data: Buffer, roomBytes: number, pass: (data: Buffer) => void) => {
      // Libraries answer a ping or a Close frame with what it carries: of one that was scrubbed, that would be refused for its placeholder.
      const isEcho = isUp && changedControl?.equals(data);
      take(isEcho ? { data: Buffer.alloc(0) } : control(data), (whole) => {
        const passed = cutTo(roomBytes, whole);
        if (!isUp && !passed.equals(data)) changedControl = passed;
        pass(passed);
      });
    };
    return {
      onMessage: (data, isBinary) => take(message(data), (passed) => {
        if (isUp) draft.requestBytes += passed.length;
        else draft.responseBytes += passed.length;
        other().send(passed, isBinary);
      }),
      onPing: (data) => takeControl(data, controlBytes, (passed) => other().ping(passed)),
      onPong: (data) => takeControl(data, controlBytes, (passed) => other().pong(passed)),
      onClose: (code, reason) => takeControl(reason, reasonBytes, (passed) => {
        other().close(code, passed);
        endWithin(closeMs);
      }),
      onInvalid: (code) => fail(code, invalid({ code, isUp, where, memory: context.memory })),
      onGone(isClean) {
        if (!isUp && !isClean && !isOver) Object.assign(draft, { decision: 'failed', reason: 'upstream-unreachable', remedy: `The WebSocket of ${where} broke off; try again.` });
        isOver ||= !isClean;
        if (!isClean) other().destroy();
        else endWithin(abruptMs);
        if (!options.client.socket.destroyed || !options.upstream.socket.destroyed) return;
        clearTimeout(timer);
        options.memory.release();
      },
    };
  };
  const client = openHop({ ...options.client, memory: options.memory, isServer: true, events: eventsOf('client', () => upstream) });
  const upstream = openHop({ ...options.upstream, memory: options.memory, isServer: false, events: eventsOf('upstream', () => client) });
  client.read(upstream);
  upstream.read(client);
}

/** What a control frame has room for, and behind a close code its reason (RFC 6455, section 5.5). More makes the ws package throw. */
const controlBytes = 125;
const reasonBytes = controlBytes - 2;

/** A placeholder may be longer than what it replaces. Never within a character of UTF-8: a reason that ends so is no reason to anybody. */
function cutTo(roomBytes: number, data: Buffer): Buffer {
  if (data.length <= roomBytes) return data;
  let end = roomBytes;
  while (end > roomBytes - 4 && (data[end]! & 0xc0) === 0x80) end -= 1;
  return data.subarray(0, end);
}

/** A chunk that is read, one that is sent, and the objects around them. */
const hopBytes = 96 << 10;
/** How long one side may take to answer the other's Close frame; as the ws package waits. */
const closeMs = 30_000;
/** How long a connection that was closed for a reason of Decoy's, or whose other end is gone, may stay. */
const abruptMs = 2_000;

/** RFC 6455, section 7.4.1. */
const goingAway = 1001;
const policyViolation = 1008;
const tooBig = 1009;

function invalid({ code, isUp, where, memory }: { code: number; isUp: boolean; where: string; memory: MemoryBudget }): Omit<Refusal, 'status'> {
  if (code === tryAgainLater) return memoryUsedUp(memory);
  if (code === tooBig) {
    return { decision: 'blocked', reason: 'capacity', remedy: 'Send WebSocket messages of at most 16 MiB, in not too many fragments: they are held whole to search them for secrets.' };
  }
  return isUp
    ? { decision: 'failed', reason: 'bad-request', remedy: 'Send well-formed WebSocket frames (RFC 6455).' }
    : { decision: 'failed', reason: 'upstream-unreachable', remedy: `${where} sent what is no WebSocket (RFC 6455); check the service.` };
}
