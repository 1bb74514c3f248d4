import { createHash, X509Certificate } from 'node:crypto';
import { relativeName } from './certificate.ts';

/**
 * The name OpenSSL looks a root up by in a certificate directory, without its `.0`: what `openssl x509
 * -subject_hash` prints. It is the first four bytes, little-endian, of the SHA-1 of the subject in the canonical
 * encoding (values as UTF-8, lower-cased, white space collapsed; no outer SEQUENCE). For subjects of one common
 * name without characters that need escapes, which ours is.
 * @throws where the subject is another, or the text no certificate
 */
export function subjectHash(certificatePem: string): string {
  const { subject } = new X509Certificate(certificatePem);
  const [, name] = /^CN=([^\n\\]*)$/.exec(subject) ?? [];
  if (name === undefined) throw new Error(`no subject hash was made: the subject is not one plain common name, but ${JSON.stringify(subject)}`);
  const hash = createHash('sha1').update(relativeName(canonicalise(name))).digest();
  return hash.readUInt32LE(0).toString(16).padStart(8, '0');
}

/** OpenSSL lowers ASCII letters only. */
function canonicalise(name: string): string {
  return name.trim().replace(/\s+/g, ' ').replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
