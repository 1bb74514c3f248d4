import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { describeKey, signCertificate } from './certificate.ts';
import { renderPem } from './pem.ts';

/** The certificate authority of one run: its private key exists only in this process's memory. */
export type Authority = {
  /** the CA certificate, PEM: what the sandbox is told to trust */
  certificatePem: string;
  /**
   * A server context for `host` (lower-case DNS name or IP literal without brackets), TLS 1.2 or newer. Cached.
   * Throws (or rejects) where `host` is neither.
   */
  leafContext(host: string): Promise<tls.SecureContext> | tls.SecureContext;
};

/** Makes the authority of a run: two P-256 keys and a certificate valid from a day ago until two days ahead. */
export async function createAuthority(): Promise<Authority> {
  const authorityKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // One key for every leaf of the run: all leaves are this process's, and a key each would only cost time.
  const leafKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leafKeyPem = leafKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const leafKey = describeKey(leafKeys.publicKey);
  const issuer = {
    name: `Decoy run CA ${randomBytes(6).toString('hex')}`,
    publicKey: describeKey(authorityKeys.publicKey),
    privateKey: authorityKeys.privateKey,
  };
  const now = Date.now();
  // A day back for a sandbox whose clock is wrong; two ahead because a run takes at most half an hour.
  const validity = { notBefore: new Date(now - dayMs), notAfter: new Date(now + 2 * dayMs) };

  const certificate = signCertificate({
    subject: { kind: 'authority', name: issuer.name }, publicKey: issuer.publicKey, issuer, ...validity,
  });
  const contexts = new Map<string, tls.SecureContext>();

  return {
    certificatePem: renderPem(certificate),
    leafContext(host) {
      const known = contexts.get(host);
      const context = known ?? tls.createSecureContext({
        key: leafKeyPem,
        cert: renderPem(signCertificate({
          subject: { kind: 'host', host: checkHost(host) }, publicKey: leafKey, issuer, ...validity,
        })),
        minVersion: 'TLSv1.2',
      });
      remember(contexts, host, context);
      return context;
    },
  };
}

const dayMs = 24 * 60 * 60 * 1000;

/** A wildcard rule lets the sandbox ask for any number of names: the cache must not grow with them. */
const cachedContexts = 512;

/** Puts `host` last: a Map keeps the order of insertion, so its first key is the one used longest ago. */
function remember(contexts: Map<string, tls.SecureContext>, host: string, context: tls.SecureContext): void {
  contexts.delete(host);
  contexts.set(host, context);
  if (contexts.size > cachedContexts) contexts.delete(contexts.keys().next().value!);
}

/** Underscores are no host names by RFC 952, but real services have them. A `*` here would be a wildcard certificate. */
const dnsName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function checkHost(host: string): string {
  // A zone index ("fe80::1%eth0") is an address to node:net, but means nothing in a certificate.
  if (isIP(host) === 6 && !host.includes('%')) return canonicalIPv6(host);
  if (isIP(host) === 4 || dnsName.test(host)) return host;
  // The text came from a client's handshake: it is not repeated here.
  throw new Error('no certificate was made: the host is neither a lower-case DNS name nor an IP literal');
}

/** One certificate's subject for every way to write an address: the URL standard's form. */
function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}
