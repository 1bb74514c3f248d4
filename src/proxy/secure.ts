import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import { DialError } from './dial-error.ts';
import { explainTlsError } from './explain-tls-error.ts';

export type SecureOptions = {
  host: string;
  port: number;
  context: tls.SecureContext;
  /** what to offer by ALPN; HTTP/1.1 alone unless given */
  protocols?: readonly string[];
  handshakeMs: number;
  signal: AbortSignal;
  /** what it counts as when it fails */
  reason: 'upstream-tls' | 'upstream-proxy';
  /** variables that name a file of roots which cannot be used */
  unusableRoots?: readonly string[] | undefined;
};

/** Speaks TLS over an open connection, with whoever can prove to be `host`. Whatever goes wrong, the connection is gone. */
export function secure(socket: Socket, { host, port, context, protocols = ['http/1.1'], handshakeMs, signal, reason, unusableRoots }: SecureOptions): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = tls.connect({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: context,
      ALPNProtocols: [...protocols],
      // Said explicitly, as NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default.
      rejectUnauthorized: true,
    });
    const fail = (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      secured.destroy();
      socket.destroy();
      reject(new DialError(reason, explainTlsError(error, { where: `${host}:${port}`, unusableRoots })));
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
