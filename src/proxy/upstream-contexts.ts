import tls from 'node:tls';
import { matchesHost } from '../policy/matches-host.ts';
import type { HostPattern } from '../policy/policy.ts';

/** What proves to a host who is asking. Both PEM, the key unencrypted. */
export type ClientCertificate = { host: HostPattern; certificatePem: string; keyPem: string };

export type ContextOptions = {
  /** all trusted roots, PEM */
  roots(): Promise<string[]>;
  /** hosts whose certificate only the given authority (PEM) can vouch for */
  pinnedAuthorities: readonly { host: string; certificatePem: string }[];
  clientCertificates: readonly ClientCertificate[];
};

/** null: for the host's own proxy */
export type UpstreamContexts = (host: string | null) => Promise<tls.SecureContext>;

/**
 * The contexts for TLS towards upstreams: one for each pinned host, one for each client certificate, which is shown to its host only,
 * and one for all others. Each is made when it is first needed: parsing all roots takes some forty milliseconds.
 */
export function openUpstreamContexts({ roots, pinnedAuthorities, clientCertificates }: ContextOptions): UpstreamContexts {
  const pinned = new Map(pinnedAuthorities.map(({ host, certificatePem }) => [host, certificatePem]));
  const contexts = new Map<string | ClientCertificate | null, Promise<tls.SecureContext>>();
  // The narrowest pattern first: it is the one that is meant.
  const sorted = [...clientCertificates].sort((a, b) => breadth(a.host) - breadth(b.host));

  return (host) => {
    const certificate = host === null ? null : sorted.find((candidate) => matchesHost(candidate.host, host)) ?? null;
    const pin = host === null ? undefined : pinned.get(host);
    const key = pin === undefined ? certificate : host;
    const context = contexts.get(key) ?? (pin === undefined ? roots() : Promise.resolve([pin])).then((ca) => createContext(ca, certificate));
    contexts.set(key, context);
    return context;
  };
}

function createContext(ca: string[], certificate: ClientCertificate | null): tls.SecureContext {
  // Naming any root replaces the defaults, so all are named.
  return tls.createSecureContext({ minVersion: 'TLSv1.2', ca, ...(certificate && { cert: certificate.certificatePem, key: certificate.keyPem }) });
}

/** An exact name before a wildcard; of wildcards, the one over the longer name, and there the one over a single label. */
function breadth({ kind, name }: HostPattern): number {
  if (kind === 'exact' || kind === 'address') return 0;
  return 1000 - 2 * name.split('.').length + (kind === 'any-depth' ? 1 : 0);
}
