import { connect as connectTcp, type Socket } from 'node:net';
import type { DialError } from './dial-error.ts';
import type { OpenConnections } from './open-connections.ts';

export type Candidate = { address: string; port: number };

export type ConnectOptions = {
  /** how long one address may take to answer */
  attemptMs: number;
  signal: AbortSignal;
  /** where the winner is kept */
  connections: OpenConnections;
  /** the error to fail with, made of the code of the last failure */
  explain(code: string): DialError;
};

/** Tries the candidates in turn, the next one when the last has failed or was slow to answer; the first to connect wins. */
export function connectFirst(candidates: readonly Candidate[], { attemptMs, signal, connections, explain }: ConnectOptions): Promise<Socket> {
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
      if (winner === null) return reject(explain(lastCode));
      connections.add(winner);
      resolve(winner);
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
      socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'unknown error'));
      socket.once('timeout', () => fail('ETIMEDOUT'));
      if (next < candidates.length) delay = setTimeout(attempt, attemptDelayMs);
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    attempt();
  });
}

/** RFC 8305, section 5: the recommended Connection Attempt Delay. */
const attemptDelayMs = 250;
