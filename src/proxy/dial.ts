import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { isForbiddenAddress, isOwnAddress } from '../policy/address-check.ts';
import type { Destination, Endpoint, RefusalReason, ResolveEntry } from '../policy/policy.ts';
import { explainTlsError } from './explain-tls-error.ts';

/** Why no connection could be had; `remedy` is one sentence. */
export class DialError extends Error {
  readonly reason: RefusalReason;
  readonly remedy: string;
  constructor(reason: RefusalReason, remedy: string) {
    super(remedy);
    this.reason = reason;
    this.remedy = remedy;
  }
}

export type DialOptions = {
  resolve: readonly ResolveEntry[];
  ownAddresses: readonly string[];
  /** what a host's certificate is verified with */
  contextFor(host: string): tls.SecureContext;
  /** what to offer by ALPN; HTTP/1.1 alone unless given */
  protocols?: readonly string[];
  signal: AbortSignal;
};

/** `tcp`: a raw connection, with TLS or without, that is nobody's business here. */
export type DialDestination = Endpoint & { scheme: Destination['scheme'] | 'tcp' };

/**
 * Opens a verified connection to the destination. The address that was checked is the one that is dialled: the name is not
 * resolved a second time, so a name that changes its address in between (DNS rebinding) gains nothing.
 * @throws DialError
 */
export async function dial(destination: DialDestination, options: DialOptions): Promise<Socket> {
  const candidates = await findCandidates(destination, options);
  const socket = await connectFirst(candidates, destination, options.signal);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, tcpKeepAliveMs);
  return destination.scheme === 'https' ? await secure(socket, destination, options) : socket;
}

type Candidate = { address: string; port: number };

const tcpKeepAliveMs = 30_000;
const attemptMs = 10_000;
/** RFC 8305, section 5: the recommended Connection Attempt Delay. */
const attemptDelayMs = 250;
const handshakeMs = 15_000;

async function findCandidates(destination: Endpoint, { resolve, ownAddresses }: DialOptions): Promise<Candidate[]> {
  const { host, port } = destination;
  const named = resolve.filter((entry) => entry.host === host && entry.port === port);
  if (named.length > 0) return named.map((entry) => ({ address: entry.address, port: entry.addressPort }));

  const addresses = isIP(host) === 0 ? await resolveName(host) : [host];
  const allowed = addresses.filter((address) => isForbiddenAddress(address) === null && !isOwnAddress(address, ownAddresses));
  if (allowed.length === 0) {
    throw new DialError('private-address',
      `"${host}" leads to a private address or to this host only; add "${host}:${port}:ADDRESS" to resolve to reach it nevertheless.`);
  }
  return allowed.map((address) => ({ address, port }));
}

async function resolveName(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw new DialError('name-does-not-resolve', `"${host}" does not resolve on this host (${errorCode(error)}); check the name.`);
  }
}

/** Tries the candidates in turn, the next one when the last has failed or was slow to answer; the first to connect wins. */
function connectFirst(candidates: readonly Candidate[], { host, port }: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>();
    let next = 0;
    let lastCode = 'no address';
    let delay: NodeJS.Timeout | undefined;

    const settle = (winner: Socket | null) => {
      clearTimeout(delay);
      signal.removeEventListener('abort', abort);
      open.delete(winner!);
      for (const socket of open) socket.destroy();
      if (winner !== null) resolve(winner);
      else reject(new DialError('upstream-unreachable', `Connecting to "${host}:${port}" failed (${lastCode}); check that it is up and reachable from this host.`));
    };
    const abort = () => settle(null);
    const attempt = () => {
      clearTimeout(delay);
      const candidate = candidates[next++];
      if (candidate === undefined) return;
      const socket = connectTcp({ host: candidate.address, port: candidate.port, timeout: attemptMs });
      open.add(socket);
      const fail = (code: string) => {
        if (!open.delete(socket)) return;
        lastCode = code;
        socket.destroy();
        if (next < candidates.length) attempt();
        else if (open.size === 0) settle(null);
      };
      socket.once('connect', () => {
        socket.setTimeout(0);
        socket.removeAllListeners();
        settle(socket);
      });
      socket.once('error', (error) => fail(errorCode(error)));
      socket.once('timeout', () => fail('ETIMEDOUT'));
      if (next < candidates.length) delay = setTimeout(attempt, attemptDelayMs);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    attempt();
  });
}

function secure(socket: Socket, { host, port }: Endpoint, { contextFor, signal, protocols = ['http/1.1'] }: DialOptions): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = tls.connect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: contextFor(host),
      ALPNProtocols: [...protocols],
      // Said explicitly, as NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default.
      rejectUnauthorized: true,
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      secured.destroy();
      socket.destroy();
      reject(new DialError('upstream-tls', explainTlsError(error, `${host}:${port}`)));
    };
    const abort = () => fail({ code: 'ABORTED' });
    const timer = setTimeout(() => fail({ code: 'ETIMEDOUT' }), handshakeMs);
    signal.addEventListener('abort', abort);
    secured.once('error', fail);
    secured.once('close', fail);
    secured.once('secureConnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      secured.off('error', fail).off('close', fail);
      resolve(secured);
    });
  });
}

function errorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
