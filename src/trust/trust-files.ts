import { subjectHash } from './subject-hash.ts';

/** A file, or a symbolic link with a relative target, at an absolute path inside the sandbox. */
export type TrustFile = { path: string; content: Buffer } | { path: string; target: string };

/**
 * The files clients look for roots in when no variable tells them: each takes the place of the runner's own. The
 * first path is the real bundle, the others of its kind are links to it, so that the disk holds it once.
 */
export function trustFiles(options: { bundlePem: string; authorityPem: string; trustStore: Buffer }): TrustFile[] {
  return [
    // Debian, Ubuntu, Alpine, and the first place Go, GnuTLS and curl look
    { path: '/etc/ssl/certs/ca-certificates.crt', content: Buffer.from(options.bundlePem) },
    // Alpine, and OpenSSL's own default name
    { path: '/etc/ssl/cert.pem', target: 'certs/ca-certificates.crt' },
    // Fedora, RHEL
    { path: '/etc/pki/tls/certs/ca-bundle.crt', target: '../../../ssl/certs/ca-certificates.crt' },
    { path: '/etc/pki/tls/cert.pem', target: '../../ssl/certs/ca-certificates.crt' },
    { path: '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem', target: '../../../../ssl/certs/ca-certificates.crt' },
    // openSUSE
    { path: '/etc/ssl/ca-bundle.pem', target: 'certs/ca-certificates.crt' },
    // Debian's JDKs link their cacerts to this, and so do Debian packages of other vendors
    { path: '/etc/ssl/certs/java/cacerts', content: options.trustStore },
    { path: '/etc/ssl/certs/adoptium/cacerts', target: '../java/cacerts' },
    // for whatever reads the directory: a program with `capath`, GnuTLS, SSL_CERT_DIR set by a script
    { path: '/etc/ssl/certs/decoy-run-ca.pem', content: Buffer.from(options.authorityPem) },
    { path: `/etc/ssl/certs/${subjectHash(options.authorityPem)}.0`, target: 'decoy-run-ca.pem' },
  ];
}
