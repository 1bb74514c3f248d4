import type { Socket } from 'node:net';
import type { ProxyContext } from './exchange.ts';
import { maxHeaderBytes, parseProxyHeader, type Endpoint } from './proxy-header.ts';
import { recordRefusal } from './record-refusal.ts';
import type { HttpSide } from './server.ts';
import { passTcp } from './tcp.ts';
import { acceptTls } from './tls.ts';

export type ConnectionOptions = { context: ProxyContext; http: { http1: HttpSide; http2: HttpSide } };

/** Takes one connection from the gateway as far as a destination it may go to and the protocol it speaks. */
export async function handleConnection(socket: Socket, { context, http }: ConnectionOptions): Promise<void> {
  socket.on('error', () => socket.destroy());
  const endpoint = await readProxyHeader(socket);
  if (endpoint === null) return void socket.destroy();
  if (!context.policy.couldReach(endpoint) && !isAnswered(endpoint, context)) {
    refuseConnection(endpoint, context);
    return void socket.destroy();
  }
  // In many protocols the server speaks first.
  const raw = context.policy.decideTcp(endpoint);
  if (raw.allowed) return passTcp(socket, { endpoint, verdict: raw, context });
  const first = await readFirstByte(socket);
  if (first === null) return void socket.destroy();
  if (first !== tlsHandshake) return http.http1.accept(socket, { scheme: 'http', ...endpoint });
  const secured = await acceptTls(socket, { destination: { scheme: 'https', ...endpoint }, context });
  if (secured === null) return;
  const side = secured.alpnProtocol === 'h2' ? http.http2 : http.http1;
  side.accept(secured, { scheme: 'https', ...endpoint });
}

/**
 * Whether a connection that leads nowhere is taken nevertheless, to refuse its requests with an answer: the client speaks plain HTTP to a host
 * that rules know over TLS alone, or the reverse.
 */
function isAnswered({ host, port }: Endpoint, { policy }: ProxyContext): boolean {
  if (port !== 80 && port !== 443) return false;
  const meant = policy.decide({ ...(port === 80 ? { scheme: 'https', port: 443 } : { scheme: 'http', port: 80 }), host, method: 'GET', path: '/' });
  return meant.allowed || meant.reason === 'method-not-allowed' || meant.reason === 'path-not-allowed';
}

/** Content type 22 of the first record, a ClientHello (RFC 8446, 5.1). */
const tlsHandshake = 0x16;
const proxyHeaderMs = 2_000;
/** Clients may open connections ahead of need. */
const firstByteMs = 60_000;

/** The gateway's header, or null where it is missing, late or wrong. What follows it stays in the socket. */
function readProxyHeader(socket: Socket): Promise<Endpoint | null> {
  let seen: Buffer = Buffer.alloc(0);
  return readUntil(socket, {
    withinMs: proxyHeaderMs,
    take(chunk) {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const header = parseProxyHeader(seen);
      if (header.kind === 'incomplete' && seen.length <= maxHeaderBytes) return undefined;
      if (header.kind !== 'complete') return null;
      if (seen.length > header.lengthBytes) socket.unshift(seen.subarray(header.lengthBytes));
      return header.endpoint;
    },
  });
}

function readFirstByte(socket: Socket): Promise<number | null> {
  return readUntil(socket, {
    withinMs: firstByteMs,
    take(chunk) {
      socket.unshift(chunk);
      return chunk[0]!;
    },
  });
}

type Reading<T> = { withinMs: number; take(chunk: Buffer): T | null | undefined };

/** Gives `take` what arrives until it returns something; null at the end, on an error or when time is up. Leaves the socket paused. */
function readUntil<T>(socket: Socket, { withinMs, take }: Reading<T>): Promise<T | null> {
  return new Promise((resolve) => {
    const settle = (value: T | null) => {
      clearTimeout(timer);
      socket.off('readable', onReadable).off('close', onEnd).off('end', onEnd);
      resolve(value);
    };
    const onEnd = () => settle(null);
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null;
      const value = chunk === null ? undefined : take(chunk);
      if (value !== undefined) settle(value);
    };
    const timer = setTimeout(onEnd, withinMs);
    socket.on('readable', onReadable).once('close', onEnd).once('end', onEnd);
    if (socket.destroyed) onEnd();
    else if (socket.readableLength > 0) onReadable();
  });
}

function refuseConnection({ host, port }: Endpoint, { policy, audit }: ProxyContext): void {
  const raw = policy.decideTcp({ host, port });
  const isTls = port === 443;
  const verdict = policy.decide({ scheme: isTls ? 'https' : 'http', host, port, method: 'GET', path: '/' });
  const { reason, remedy } = verdict.allowed
    ? { reason: 'host-not-allowed' as const, remedy: `Add "${host}:${port}" to allow.` }
    : verdict;
  // Of another port it is not known what is spoken there.
  const isOpen = port !== 443 && port !== 80 && !raw.allowed && raw.remedy !== remedy;
  recordRefusal(
    { status: null, decision: 'blocked', reason, remedy: isOpen ? `${remedy}; where it is not HTTP, ${raw.remedy}` : remedy },
    { protocol: isTls ? 'tls' : 'tcp', host, port, method: null, audit },
  );
}
