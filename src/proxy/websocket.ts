import type { Duplex } from 'node:stream';
import { refuse, type Exchange } from './exchange.ts';
import { forward } from './forward.ts';
import { headerValue, type RawHeaders } from './headers.ts';
import { joinSockets, waitingSocketBytes, type Direction } from './join-sockets.ts';
import { memoryUsedUp } from './memory-budget.ts';
import { noteRefusal, type Refusal } from './refusal.ts';
import { prepareResponse } from './response.ts';
import { createWaitingMemory } from './waiting-memory.ts';
import { isWebSocketAnswer, renderSwitching, type UpstreamHandshake } from './websocket-handshake.ts';

export type WebSocketOptions = {
  /** target in origin form */
  url: string;
  /** of the request, judged and with its secrets swapped */
  handshake: UpstreamHandshake;
  /** the client's connection, which speaks HTTP no more */
  socket: Duplex;
};

/**
 * Asks the upstream for a WebSocket and joins both. Where the run has secrets every message is read; otherwise the bytes pass as they are.
 * An answer other than 101 goes to the client as any answer does.
 */
export function openWebSocket(exchange: Exchange, { url, handshake, socket }: WebSocketOptions): void {
  const isRaw = exchange.context.secrets.list.length === 0;
  forward(exchange, { method: 'GET', path: url, headers: handshake.headers, ...switching }, (rawHeaders, upstream) => {
    upstream.on('error', () => upstream.destroy());
    const answer = prepareResponse(exchange, { status: 101, statusText: '', rawHeaders });
    if (!answer.ok || !isWebSocketAnswer(rawHeaders, handshake.key)) {
      upstream.destroy();
      return refuse(exchange, answer.ok ? wrongAnswer(exchange) : answer.refusal);
    }
    const join = isRaw ? joinRaw : joinRead;
    join(exchange, { socket, upstream, rawHeaders: answer.rawHeaders }).catch(() => {
      // Nothing of the error is told: it could hold what was sent.
      upstream.destroy();
      socket.destroy();
    });
  });
}

/** Such a connection never carries another request, whatever the answer. */
const switching = { body: null, upgrade: 'websocket', trailers: () => [], mayUseHttp2: false, reset: true } as const;

type Join = { socket: Duplex; upstream: Duplex; rawHeaders: RawHeaders };

async function joinRaw({ request, draft, context: { memory } }: Exchange, { socket, upstream, rawHeaders }: Join): Promise<void> {
  draft.status = 101;
  socket.write(renderSwitching({ key: request.headers['sec-websocket-key']!, rawHeaders, extensions: null }));
  const onMemoryUsedUp = () => {
    noteRefusal(draft, { ...memoryUsedUp(memory), status: 101 });
    socket.destroy();
    upstream.destroy();
  };
  const counting = (onBytes: (count: number) => void): Direction<never> => ({
    find: () => null, onFound: () => undefined, onBytes, waiting: createWaitingMemory(memory, waitingSocketBytes), onMemoryUsedUp,
  });
  joinSockets(socket, upstream, {
    up: counting((count) => { draft.requestBytes += count; }),
    down: counting((count) => { draft.responseBytes += count; }),
  });
}

async function joinRead(exchange: Exchange, { socket, upstream, rawHeaders }: Join): Promise<void> {
  const { request, draft } = exchange;
  // Loaded late: most runs open no WebSocket.
  const [{ agreeOnCompression }, { hopsBytes, relayMessages }] = await Promise.all([import('./websocket-compression.ts'), import('./websocket-relay.ts')]);
  if (socket.destroyed || upstream.destroyed) throw new Error('one end went away');
  const agreed = agreeOnCompression({
    offered: request.headers['sec-websocket-extensions'] ?? null, answered: headerValue(rawHeaders, 'sec-websocket-extensions'),
  });
  if (agreed === null) {
    upstream.destroy();
    return refuse(exchange, wrongAnswer(exchange));
  }
  const memory = exchange.context.memory.reserve(hopsBytes({ isCompressed: 'permessage-deflate' in agreed.upstream }));
  if (memory === null) {
    upstream.destroy();
    return refuse(exchange, memoryUsedUp(exchange.context.memory));
  }
  draft.status = 101;
  socket.write(renderSwitching({ key: request.headers['sec-websocket-key']!, rawHeaders, extensions: agreed.header }));
  relayMessages(exchange, { memory, client: { socket, extensions: agreed.client }, upstream: { socket: upstream, extensions: agreed.upstream } });
}

function wrongAnswer({ destination: { host, port } }: Exchange): Refusal {
  return {
    status: 502, decision: 'failed', reason: 'upstream-unreachable',
    remedy: `"${host}:${port}" answered the WebSocket handshake in a way that RFC 6455 does not allow; check the service.`,
  };
}
