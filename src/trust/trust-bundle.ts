import { parsePem, renderPem } from './pem.ts';

/**
 * One PEM file of the system's roots and the run's authority, for the clients whose setting replaces their roots.
 * The system's stay in it for connections let through as they are (`tcp://` rules), where the real server answers.
 */
export function buildTrustBundle(options: { systemRootsPem: string; authorityPem: string }): string {
  // The authority is first: some clients read a file only until they have found the issuer.
  return parsePem(`${options.authorityPem}\n${options.systemRootsPem}`).map(renderPem).join('');
}
