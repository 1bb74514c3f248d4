/**
 * One sentence on why an upstream's certificate was not accepted or the handshake failed. `unusableRoots` are variables whose file might have
 * vouched for it.
 */
export function explainTlsError(error: unknown, { where, unusableRoots = [] }: { where: string; unusableRoots?: readonly string[] | undefined }): string {
  const code = (error as { code?: unknown } | null)?.code;
  const name = typeof code === 'string' ? code : 'connection closed';
  if (refusesClient.test(name)) return `"${where}" wants another client certificate than it was shown, or any (${name}); check the one client-certificates names for it.`;
  const why = problems[name];
  if (why === undefined) return `The TLS handshake with "${where}" failed (${name}); check that it speaks TLS 1.2 or newer, and whether it wants a client certificate.`;
  return `The certificate of "${where}" could not be verified: ${why[0]} (${name}); ${why[1]}${why[1] === untrusted ? unusable(unusableRoots) : ''}.`;
}

/** Without the path: that is the host's affair, and this answer is the sandbox's, too. */
function unusable(variables: readonly string[]): string {
  return variables.length === 0 ? '' : `; the file ${variables.join(' and ')} names now cannot be used, as a warning at the start of the run tells`;
}

/** Alerts about the certificate of the side that gets them (RFC 8446, 6.2); a TLS 1.2 server without one may also just end the handshake. */
const refusesClient = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|UNKNOWN_CA)$/;

const untrusted = 'add its CA to this system\'s trusted certificates, or name it in NODE_EXTRA_CA_CERTS of the process that runs Decoy';
const renew = 'renew the certificate or set the clock';

/** Codes of OpenSSL's verification (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/) and of Node's name check. */
const problems: Readonly<Record<string, readonly [string, string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ['it is self-signed', untrusted],
  SELF_SIGNED_CERT_IN_CHAIN: ['its chain ends in a root that is not trusted here', untrusted],
  UNABLE_TO_GET_ISSUER_CERT: ['its issuer is not known', untrusted],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['its issuer is not known', untrusted],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its issuer is not known, or the server leaves out an intermediate certificate', untrusted],
  CERT_UNTRUSTED: ['its root is not trusted for servers', untrusted],
  CERT_HAS_EXPIRED: ['it has expired', renew],
  CERT_NOT_YET_VALID: ['it is not valid yet', renew],
  CERT_REVOKED: ['it was revoked', 'replace the certificate'],
  CERT_SIGNATURE_FAILURE: ['its signature is wrong', 'replace the certificate'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['it is for another name', 'check the name, or the address that resolve gives for it'],
};
