import type { SecureContext } from 'node:tls';

/**
 * The last TLS session with each upstream, to resume: a resumed handshake has no certificate to check, as the session is with whoever proved
 * to be that host before. So one is only ever kept of a connection that was verified, and only for the same name, port and
 * context, which means the same roots and the same client certificate.
 */
export type TlsSessions = {
  find(context: SecureContext, origin: string): Buffer | undefined;
  keep(context: SecureContext, options: { origin: string; session: Buffer }): void;
  /** After a failure, which may have been the session's. */
  forget(context: SecureContext, origin: string): void;
};

export function openTlsSessions(): TlsSessions {
  const kept = new WeakMap<SecureContext, Map<string, Buffer>>();
  return {
    find: (context, origin) => kept.get(context)?.get(origin),
    keep(context, { origin, session }) {
      const sessions = kept.get(context) ?? new Map<string, Buffer>();
      kept.set(context, sessions);
      // Re-inserted last: the first is the oldest.
      sessions.delete(origin);
      sessions.set(origin, session);
      if (sessions.size > maxSessions) sessions.delete(sessions.keys().next().value!);
    },
    forget: (context, origin) => void kept.get(context)?.delete(origin),
  };
}

/** A rule like `**.example.com` allows any number of names. */
const maxSessions = 256;
