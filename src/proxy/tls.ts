import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import type { Destination, RefusalReason } from '../policy/policy.ts';
import type { ProxyContext } from './exchange.ts';
import { recordRefusal } from './record-refusal.ts';

export type TlsOptions = { destination: Destination; context: ProxyContext };

/**
 * Answers the client's handshake with a leaf for the destination. null when it failed, which has been recorded then.
 * A client that sends no SNI is served: the leaf is for the destination all the same, and Host is still held to it.
 * Tickets are left on: their keys belong to the leaf's context, so they never resume towards another host or in another run.
 */
export async function acceptTls(socket: Socket, { destination, context }: TlsOptions): Promise<tls.TLSSocket | null> {
  const secureContext = await context.authority.leafContext(destination.host);
  return new Promise((resolve) => {
    const secured = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext,
      ALPNProtocols: ['h2', 'http/1.1'],
      minVersion: 'TLSv1.2',
      SNICallback(servername, callback) {
        if (agrees(servername, destination.host)) return callback(null, secureContext);
        // Nothing was sent yet, so the alert goes out in clear, and then the connection ends.
        socket.end(unrecognizedName, () => secured.destroy());
        settle({
          reason: 'sni-mismatch',
          remedy: `The client asked for another name than "${destination.host}", which it had resolved; connect to the name itself.`,
        });
      },
    });
    const fail = (code: string) => settle({ reason: 'tls-handshake', remedy: explainClientError(code, destination.host) });
    const onSecure = () => {
      // As a tls.Server does: an HTTP/2 session waits for it.
      (secured as { secureConnecting?: boolean }).secureConnecting = false;
      settle(null);
    };
    const onClose = () => fail('closed');
    /** Until it has succeeded or failed. Not kept longer: SNICallback stays with the connection, and would keep all of it. */
    let handshake: Handshake | null = { resolve, onSecure, onClose, timer: setTimeout(() => fail('timeout'), handshakeMs) };
    const settle = (failure: { reason: RefusalReason; remedy: string } | null) => {
      if (handshake === null) return;
      clearTimeout(handshake.timer);
      secured.off('secure', handshake.onSecure).off('close', handshake.onClose);
      handshake.resolve(failure === null ? secured : null);
      handshake = null;
      if (failure === null) return;
      recordFailure(failure, { destination, context });
      if (failure.reason !== 'sni-mismatch') secured.destroy();
    };
    secured.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.code ?? 'unknown error');
      secured.destroy();
    });
    secured.once('secure', onSecure);
    secured.once('close', onClose);
  });
}

type Handshake = { resolve(secured: tls.TLSSocket | null): void; onSecure(): void; onClose(): void; timer: NodeJS.Timeout };

const handshakeMs = 15_000;
/** A record of type alert (21), TLS 1.2 on the wire, two bytes: fatal, unrecognized_name (RFC 6066, 3). */
const unrecognizedName = Buffer.from([21, 3, 3, 0, 2, 2, 112]);

function agrees(servername: string, host: string): boolean {
  const name = servername.toLowerCase().replace(/\.$/, '');
  // RFC 6066 forbids IP literals in SNI; clients that send one nevertheless mean the same destination.
  return name === host || (isIP(host) === 6 && name === `[${host}]`);
}

function recordFailure(failure: { reason: RefusalReason; remedy: string }, { destination, context }: TlsOptions): void {
  const decision = failure.reason === 'sni-mismatch' ? 'blocked' : 'failed';
  recordRefusal({ status: null, decision, ...failure }, { ...destination, protocol: 'tls', method: null, audit: context.audit });
}

function explainClientError(code: string, host: string): string {
  const where = `the TLS handshake for "${host}"`;
  if (/UNKNOWN_CA|CERTIFICATE_UNKNOWN|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE/.test(code)) {
    return `A program refused ${where} (${code}), most likely as it does not trust Decoy's certificate authority: give it the bundle SSL_CERT_FILE names; programs that pin certificates cannot be used.`;
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER|VERSION_TOO_LOW/.test(code)) {
    return `A program failed ${where} (${code}): it must speak TLS 1.2 or newer.`;
  }
  if (code === 'closed' || code === 'ECONNRESET') {
    return `A program broke off ${where} without a reason, most likely as it does not trust Decoy's certificate authority: give it the bundle SSL_CERT_FILE names.`;
  }
  return `A program did not complete ${where} (${code}).`;
}
