import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/**
 * The context upstream certificates are verified with: Node's own roots, those of NODE_EXTRA_CA_CERTS, and `extraPems`.
 * Made once, as parsing all roots takes milliseconds.
 */
export function createUpstreamContext(extraPems: readonly string[]): tls.SecureContext {
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
