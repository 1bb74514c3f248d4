import { parsePem } from './pem.ts';

/**
 * A PKCS #12 file (RFC 7292) in which every certificate of the PEM texts is a trusted root for the JVM: what
 * `javax.net.ssl.trustStore` wants. It has neither encryption nor a MAC, so the JVM reads it with any password or
 * none; certificates are public, and whoever can write the file can also make a MAC under a well-known password.
 * The same texts give the same bytes.
 */
export function buildTrustStore(pems: readonly string[]): Buffer {
  const certificates = parsePem(pems.join('\n'));
  const bags = sequence(...certificates.map((certificate, index) => certificateBag(certificate, index)));
  const authenticatedSafe = sequence(dataContent(bags));
  return sequence(integer3, dataContent(authenticatedSafe));
}

function certificateBag(certificate: Buffer, index: number): Buffer {
  return sequence(
    oid.certBag,
    explicit(sequence(oid.x509Certificate, explicit(octetString(certificate)))),
    set(
      // The alias: the JVM keeps only one of the entries that share one.
      sequence(oid.friendlyName, set(bmpString(`decoy root ${index + 1}`))),
      // Without it the JVM takes a certificate for part of some key's chain, and does not trust it.
      sequence(oid.trustedKeyUsage, set(oid.anyExtendedKeyUsage)),
    ),
  );
}

function dataContent(content: Buffer): Buffer {
  return sequence(oid.data, explicit(octetString(content)));
}

// DER (X.690), as little of it as this file needs: @peculiar/asn1-pfx does it too, but see docs/decisions/0003-certificates.md.

const sequence = (...parts: Buffer[]) => tagged(0x30, parts);
const explicit = (content: Buffer) => tagged(0xa0, [content]);
const octetString = (content: Buffer) => tagged(0x04, [content]);
const bmpString = (text: string) => tagged(0x1e, [Buffer.from(text, 'utf16le').swap16()]);
/** X.690 11.6: the elements of a SET OF are in ascending order of their encodings. */
const set = (...parts: Buffer[]) => tagged(0x31, parts.sort(Buffer.compare));

function tagged(tag: number, parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const digits = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length]), digits, content]);
}

const integer3 = Buffer.from([0x02, 0x01, 0x03]);

/** Object identifiers, already encoded. */
const oid = {
  /** 1.2.840.113549.1.7.1 */
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  /** 1.2.840.113549.1.12.10.1.3 */
  certBag: Buffer.from('060b2a864886f70d010c0a0103', 'hex'),
  /** 1.2.840.113549.1.9.22.1 */
  x509Certificate: Buffer.from('060a2a864886f70d01091601', 'hex'),
  /** 1.2.840.113549.1.9.20 */
  friendlyName: Buffer.from('06092a864886f70d010914', 'hex'),
  /** 2.16.840.1.113894.746875.1.1, Oracle's mark of a trusted certificate */
  trustedKeyUsage: Buffer.from('060c6086480186f966adca7b0101', 'hex'),
  /** 2.5.29.37.0 */
  anyExtendedKeyUsage: Buffer.from('0604551d2500', 'hex'),
};
