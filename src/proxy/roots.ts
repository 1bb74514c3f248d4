import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { ProxyOptions } from './options.ts';

/** What verifies a host's certificate: the authority pinned for it, if there is one, else every trusted root. */
export function createUpstreamContexts({ upstreamCertificates = [], pinnedAuthorities = [] }: Pick<ProxyOptions, 'upstreamCertificates' | 'pinnedAuthorities'>): (host: string) => tls.SecureContext {
  const context = createUpstreamContext(upstreamCertificates);
  const pinned = new Map(pinnedAuthorities.map(({ host, certificatePem }) => [host, tls.createSecureContext({ ca: certificatePem, minVersion: 'TLSv1.2' })]));
  return (host) => pinned.get(host) ?? context;
}

/**
 * The context upstream certificates are verified with: Node's own roots, those of NODE_EXTRA_CA_CERTS, and `extraPems`.
 * Made once, as parsing all roots takes milliseconds.
 */
function createUpstreamContext(extraPems: readonly string[]): tls.SecureContext {
  const shared = { minVersion: 'TLSv1.2' } as const;
  // Naming any root replaces the defaults, so they are named too.
  return extraPems.length === 0
    ? tls.createSecureContext(shared)
    : tls.createSecureContext({ ...shared, ca: [...defaultRoots(), ...extraPems] });
}

function defaultRoots(): readonly string[] {
  // Since Node 22.15; it knows the options that replace the bundled roots.
  const { getCACertificates } = tls as unknown as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('default');
  const extraPath = process.env['NODE_EXTRA_CA_CERTS'];
  return extraPath === undefined || extraPath === '' ? tls.rootCertificates : [...tls.rootCertificates, ...readPem(extraPath)];
}

/** Node itself only warns about a file it cannot read. */
function readPem(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')];
  } catch {
    return [];
  }
}
