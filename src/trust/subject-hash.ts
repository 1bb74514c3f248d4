import { createHash } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { AttributeValue, Certificate, type AttributeTypeAndValue, type Name } from '@peculiar/asn1-x509';
import { parsePem } from './pem.ts';

/**
 * The name OpenSSL looks a root up by in a certificate directory, without its `.0`: what `openssl x509
 * -subject_hash` prints. It is the first four bytes, little-endian, of the SHA-1 of the subject in the canonical
 * encoding (values as UTF-8, lower-cased, white space collapsed; no outer SEQUENCE). Only for subjects whose RDNs
 * have one textual attribute each, which ours has.
 */
export function subjectHash(certificatePem: string): string {
  const [der] = parsePem(certificatePem);
  if (!der) throw new Error('no subject hash was made: the text has no PEM certificate');
  const { subject } = AsnConvert.parse(der, Certificate).tbsCertificate;
  const hash = createHash('sha1').update(canonicalEncoding(subject)).digest();
  return hash.readUInt32LE(0).toString(16).padStart(8, '0');
}

function canonicalEncoding(name: Name): Buffer {
  for (const relativeName of name) relativeName.forEach(canonicalise);
  return Buffer.concat(Array.from(name, (relativeName) => Buffer.from(AsnConvert.serialize(relativeName))));
}

function canonicalise(attribute: AttributeTypeAndValue): void {
  const text = attribute.value.toString().trim().replace(/\s+/g, ' ');
  // OpenSSL lowers ASCII letters only
  attribute.value = new AttributeValue({ utf8String: text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) });
}
