import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { DialError } from './dial-error.ts';
import { explainTlsError } from './explain-tls-error.ts';
import type { TlsSessions } from './tls-sessions.ts';

export type SecureOptions = {
  host: string;
  port: number;
  context: tls.SecureContext;
  /** what to offer by ALPN; HTTP/1.1 alone unless given */
  protocols?: readonly string[];
  handshakeMs: number;
  signal: AbortSignal;
  /** where there are any, one is resumed, and the new one kept */
  sessions?: TlsSessions;
  /** what it counts as when it fails */
  reason: 'upstream-tls' | 'upstream-proxy';
  /** variables that name a file of roots which cannot be used */
  unusableRoots?: readonly string[] | undefined;
};

/** Speaks TLS over an open connection, with whoever can prove to be `host`. Whatever goes wrong, the connection is gone. */
export function secure(socket: Socket, { host, port, context, protocols = ['http/1.1'], sessions, handshakeMs, signal, reason, unusableRoots }: SecureOptions): Promise<tls.TLSSocket> {
  const origin = `${host}:${port}`;
  const session = sessions?.find(context, origin);
  return new Promise((resolve, reject) => {
    const secured = tls.connect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
      ALPNProtocols: [...protocols],
      // Said explicitly, as NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default.
      rejectUnauthorized: true,
      ...(session && { session }),
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      sessions?.forget(context, origin);
      secured.destroy();
      socket.destroy();
      reject(new DialError(reason, explainTlsError(error, { where: origin, unusableRoots })));
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
      if (sessions !== undefined) keepSessions(secured, { sessions, context, origin });
      resolve(secured);
    });
  });
}

/**
 * Only of a connection that is verified: in TLS 1.2 there is a session before that, in TLS 1.3 some come later. A function of its own, as what it
 * leaves behind would keep all that the handshake needed for as long as the connection is open.
 */
function keepSessions(secured: tls.TLSSocket, { sessions, context, origin }: { sessions: TlsSessions; context: tls.SecureContext; origin: string }): void {
  const keep = (session: Buffer) => sessions.keep(context, { origin, session });
  const early = secured.getProtocol() === 'TLSv1.2' ? secured.getSession() : undefined;
  if (early !== undefined) keep(early);
  secured.on('session', keep);
}
