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
  return Buffer.concat(sequence(integer3, dataContent(authenticatedSafe)).pieces);
}

function certificateBag(certificate: Buffer, index: number): Der {
  return sequence(
    oid.certBag,
    explicit(sequence(oid.x509Certificate, explicit(octetString(der(certificate))))),
    set(
      // The alias: the JVM keeps only one of the entries that share one.
      sequence(oid.friendlyName, set(bmpString(`decoy root ${index + 1}`))),
      // Without it the JVM takes a certificate for part of some key's chain, and does not trust it.
      trustedKeyUsage,
    ),
  );
}

function dataContent(content: Der): Der {
  return sequence(oid.data, explicit(octetString(content)));
}

// DER (X.690), as little of it as this file needs: @peculiar/asn1-pfx does it too, but see docs/decisions/0003-certificates.md.

// Values stay in pieces until the end: joining them at every level would copy the roots seven times over.

type Der = { pieces: Buffer[]; bytes: number };

const der = (encoded: Buffer): Der => ({ pieces: [encoded], bytes: encoded.length });
const sequence = (...parts: Der[]) => tagged(0x30, parts);
const explicit = (content: Der) => tagged(0xa0, [content]);
const octetString = (content: Der) => tagged(0x04, [content]);
const bmpString = (text: string) => tagged(0x1e, [der(Buffer.from(text, 'utf16le').swap16())]);
/** X.690 11.6: the elements of a SET OF are in ascending order of their encodings. */
const set = (...parts: Der[]) => tagged(0x31, parts.map(({ pieces }) => Buffer.concat(pieces)).sort(Buffer.compare).map(der));

function tagged(tag: number, parts: Der[]): Der {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const head = Buffer.from([tag, ...lengthOctets(bytes)]);
  return { pieces: [head, ...parts.flatMap(({ pieces }) => pieces)], bytes: head.length + bytes };
}

/** X.690 8.1.3: one octet below 128, else their number and the octets of the length. */
function lengthOctets(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const octets: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

const integer3 = der(Buffer.from([0x02, 0x01, 0x03]));

/** Object identifiers, already encoded. */
const oid = {
  /** 1.2.840.113549.1.7.1 */
  data: der(Buffer.from('06092a864886f70d010701', 'hex')),
  /** 1.2.840.113549.1.12.10.1.3 */
  certBag: der(Buffer.from('060b2a864886f70d010c0a0103', 'hex')),
  /** 1.2.840.113549.1.9.22.1 */
  x509Certificate: der(Buffer.from('060a2a864886f70d01091601', 'hex')),
  /** 1.2.840.113549.1.9.20 */
  friendlyName: der(Buffer.from('06092a864886f70d010914', 'hex')),
  /** 2.16.840.1.113894.746875.1.1, Oracle's mark of a trusted certificate */
  trustedKeyUsage: der(Buffer.from('060c6086480186f966adca7b0101', 'hex')),
  /** 2.5.29.37.0 */
  anyExtendedKeyUsage: der(Buffer.from('0604551d2500', 'hex')),
};

/** The same in every bag. */
const trustedKeyUsage = sequence(oid.trustedKeyUsage, set(oid.anyExtendedKeyUsage));
