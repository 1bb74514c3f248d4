import { createDerWriter, tag, type DerWriter } from './der-writer.ts';
import { parsePem } from './pem.ts';

/**
 * A PKCS #12 file (RFC 7292) in which every certificate of the PEM texts is a trusted root for the JVM: what
 * `javax.net.ssl.trustStore` wants. It has neither encryption nor a MAC, so the JVM reads it with any password or
 * none; certificates are public, and whoever can write the file can also make a MAC under a well-known password.
 * The same texts give the same bytes.
 */
export function buildTrustStore(pems: readonly string[]): Buffer {
  const certificates = parsePem(pems.join('\n'));
  const writer = createDerWriter(certificates.reduce((sum, { length }) => sum + length + MOST_BAG_BYTES, MOST_FRAME_BYTES));
  const end = writer.mark();
  for (let index = certificates.length - 1; index >= 0; index--) putBag(writer, { certificate: certificates[index]!, index });
  writer.wrap(tag.sequence, end);
  wrapData(writer, end);
  writer.wrap(tag.sequence, end);
  wrapData(writer, end);
  writer.put(integer3);
  writer.wrap(tag.sequence, end);
  return writer.result();
}

// DER (X.690), as little of it as this file needs; why no library does it: docs/decisions/0003-certificates.md.

/** Around each certificate: object identifiers, the alias, and up to five bytes of tag and length for each of its twelve values. */
const MOST_BAG_BYTES = 160;
const MOST_FRAME_BYTES = 128;

/** From its end to its beginning, as the writer goes. */
function putBag(writer: DerWriter, { certificate, index }: { certificate: Buffer; index: number }): void {
  const end = writer.mark();
  // The alias: the JVM keeps only one of the entries that share one.
  writer.put(Buffer.from(`decoy root ${index + 1}`, 'utf16le').swap16());
  writer.wrap(tag.bmpString, end);
  writer.wrap(tag.set, end);
  writer.put(oid.friendlyName);
  writer.wrap(tag.sequence, end);
  // X.690 11.6: the elements of a SET OF are in ascending order of their encodings; this one is the shorter.
  writer.put(trustedKeyUsage);
  writer.wrap(tag.set, end);
  const valueEnd = writer.mark();
  writer.put(certificate);
  writer.wrap(tag.octetString, valueEnd);
  writer.wrap(tag.explicit0, valueEnd);
  writer.put(oid.x509Certificate);
  writer.wrap(tag.sequence, valueEnd);
  writer.wrap(tag.explicit0, valueEnd);
  writer.put(oid.certBag);
  writer.wrap(tag.sequence, end);
}

function wrapData(writer: DerWriter, end: number): void {
  writer.wrap(tag.octetString, end);
  writer.wrap(tag.explicit0, end);
  writer.put(oid.data);
  writer.wrap(tag.sequence, end);
}

const integer3 = Buffer.from([tag.integer, 0x01, 0x03]);

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
};

/**
 * The same in every bag; without it the JVM takes a certificate for part of some key's chain, and does not trust it: a SEQUENCE of Oracle's
 * mark of a trusted certificate, 2.16.840.1.113894.746875.1.1, and a SET of anyExtendedKeyUsage, 2.5.29.37.0.
 */
const trustedKeyUsage = Buffer.from('3016060c6086480186f966adca7b0101' + '31060604551d2500', 'hex');
