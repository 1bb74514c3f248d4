import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import * as x509 from '@peculiar/asn1-x509';

/** A public key as certificates name it; prepared once, because exporting a KeyObject takes longer than signing. */
export type CertifiedKey = { info: x509.SubjectPublicKeyInfo; identifier: ArrayBuffer };

/** What makes one certificate differ from another; everything else of the profile is fixed here. */
export type CertificateOptions = {
  subject: { kind: 'authority'; name: string } | { kind: 'host'; host: string };
  publicKey: CertifiedKey;
  issuer: { name: string; publicKey: CertifiedKey; privateKey: KeyObject };
  notBefore: Date;
  notAfter: Date;
};

/**
 * One signed X.509 v3 certificate, DER, after RFC 5280 closely enough for OpenSSL's `-x509_strict`: an authority's
 * (pathlen 0) or a server's. Signing is synchronous: P-256 takes well under a millisecond, and it keeps the
 * private key a KeyObject that is never serialised.
 */
export function signCertificate(options: CertificateOptions): Buffer {
  const tbs = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: positiveSerial(),
    signature: ecdsaWithSha256(),
    issuer: commonName(options.issuer.name),
    validity: new x509.Validity({ notBefore: options.notBefore, notAfter: options.notAfter }),
    subject: subjectName(options.subject),
    subjectPublicKeyInfo: options.publicKey.info,
    extensions: new x509.Extensions(extensions(options)),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbs));
  const certificate = new x509.Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: ecdsaWithSha256(),
    signatureValue: bytes(sign('sha256', signed, { key: options.issuer.privateKey, dsaEncoding: 'der' })),
  });
  return Buffer.from(AsnConvert.serialize(certificate));
}

/** Names a public key by RFC 7093, method 1: the leftmost 160 bits of the SHA-256 of the key's bits. */
export function describeKey(publicKey: KeyObject): CertifiedKey {
  const info = AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), x509.SubjectPublicKeyInfo);
  const hash = createHash('sha256').update(Buffer.from(info.subjectPublicKey)).digest();
  return { info, identifier: bytes(hash.subarray(0, 20)) };
}

function extensions(options: CertificateOptions): x509.Extension[] {
  const isAuthority = options.subject.kind === 'authority';
  const flags = isAuthority
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature;
  const constraints = isAuthority ? { cA: true, pathLenConstraint: 0 } : { cA: false };
  return [
    extension(x509.id_ce_basicConstraints, isAuthority, new x509.BasicConstraints(constraints)),
    extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(flags)),
    extension(x509.id_ce_subjectKeyIdentifier, false, new x509.SubjectKeyIdentifier(options.publicKey.identifier)),
    extension(x509.id_ce_authorityKeyIdentifier, false, new x509.AuthorityKeyIdentifier({
      keyIdentifier: new x509.KeyIdentifier(options.issuer.publicKey.identifier),
    })),
    ...(options.subject.kind === 'host' ? hostExtensions(options.subject.host) : []),
  ];
}

function hostExtensions(host: string): x509.Extension[] {
  const name = new x509.GeneralName(isIP(host) ? { iPAddress: host } : { dNSName: host });
  return [
    extension(x509.id_ce_extKeyUsage, false, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
    // RFC 5280 4.2.1.6: critical where the subject is empty
    extension(x509.id_ce_subjectAltName, host.length > maxCommonNameLength, new x509.SubjectAlternativeName([name])),
  ];
}

function extension(extnID: string, critical: boolean, value: unknown): x509.Extension {
  return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** ub-common-name of RFC 5280, appendix A */
const maxCommonNameLength = 64;

function subjectName(subject: CertificateOptions['subject']): x509.Name {
  const name = subject.kind === 'authority' ? subject.name : subject.host;
  return name.length > maxCommonNameLength ? new x509.Name() : commonName(name);
}

function commonName(text: string): x509.Name {
  const value = new x509.AttributeValue({ utf8String: text });
  return new x509.Name([new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: '2.5.4.3', value })])]);
}

/** RFC 5280 4.1.2.2: positive and at most 20 octets. 126 random bits; the top two make it positive and minimal. */
function positiveSerial(): ArrayBuffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return bytes(serial);
}

/** RFC 5758 3.2: the parameters are absent. */
function ecdsaWithSha256(): x509.AlgorithmIdentifier {
  return new x509.AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
}

function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}
