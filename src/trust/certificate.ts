import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parseIpv6 } from '../policy/parse-ipv6.ts';
import { der, derObjectIdentifier, derTime } from './der.ts';
import { tag } from './der-writer.ts';

/** A public key as certificates name it; prepared once, because exporting a KeyObject takes longer than signing. */
export type CertifiedKey = { /** SubjectPublicKeyInfo, DER */ info: Buffer; identifier: Buffer };

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
  // RFC 5280 4.1, TBSCertificate
  const signed = der(tag.sequence,
    der(tag.explicit0, der(tag.integer, Uint8Array.of(V3))),
    der(tag.integer, positiveSerial()),
    ecdsaWithSha256,
    commonName(options.issuer.name),
    der(tag.sequence, derTime(options.notBefore), derTime(options.notAfter)),
    subjectName(options.subject),
    options.publicKey.info,
    der(tag.explicit3, der(tag.sequence, ...extensions(options))),
  );
  const signature = sign('sha256', signed, { key: options.issuer.privateKey, dsaEncoding: 'der' });
  return der(tag.sequence, signed, ecdsaWithSha256, bitString(signature));
}

/** Names a public key by RFC 7093, method 1: the leftmost 160 bits of the SHA-256 of the key's bits. For keys of P-256 only. */
export function describeKey(publicKey: KeyObject): CertifiedKey {
  const info = publicKey.export({ type: 'spki', format: 'der' });
  // SubjectPublicKeyInfo ends with the key's bits, here an uncompressed point (RFC 5480 2.2).
  const point = info.subarray(-P256_POINT_BYTES);
  return { info, identifier: createHash('sha256').update(point).digest().subarray(0, 20) };
}

/** Version 3 is written as 2. */
const V3 = 2;
const P256_POINT_BYTES = 65;

function extensions(options: CertificateOptions): Buffer[] {
  const isAuthority = options.subject.kind === 'authority';
  return [
    extension(oid.basicConstraints, isAuthority, isAuthority ? der(tag.sequence, yes, der(tag.integer, Uint8Array.of(NO_INTERMEDIATES))) : der(tag.sequence)),
    extension(oid.keyUsage, true, isAuthority ? mayCertify : maySign),
    extension(oid.subjectKeyIdentifier, false, der(tag.octetString, options.publicKey.identifier)),
    extension(oid.authorityKeyIdentifier, false, der(tag.sequence, der(contextTag(0), options.issuer.publicKey.identifier))),
    ...(options.subject.kind === 'host' ? hostExtensions(options.subject.host) : []),
  ];
}

const NO_INTERMEDIATES = 0;

function hostExtensions(host: string): Buffer[] {
  return [
    extension(oid.extKeyUsage, false, der(tag.sequence, oid.serverAuth)),
    // RFC 5280 4.2.1.6: critical where the subject is empty
    extension(oid.subjectAltName, host.length > maxCommonNameLength, der(tag.sequence, generalName(host))),
  ];
}

/** RFC 5280 4.2.1.6: dNSName is [2], iPAddress [7]. */
function generalName(host: string): Buffer {
  switch (isIP(host)) {
    case 4: return der(contextTag(7), Uint8Array.from(ipaddr.IPv4.parse(host).toByteArray()));
    case 6: return der(contextTag(7), Uint8Array.from(parseIpv6(host).toByteArray()));
    default: return der(contextTag(2), Buffer.from(host, 'latin1'));
  }
}

/** X.690 11.5: what has its default value, as `critical` FALSE, is not written. */
function extension(id: Buffer, critical: boolean, value: Buffer): Buffer {
  return der(tag.sequence, id, ...(critical ? [yes] : []), der(tag.octetString, value));
}

/** ub-common-name of RFC 5280, appendix A */
const maxCommonNameLength = 64;

function subjectName(subject: CertificateOptions['subject']): Buffer {
  const name = subject.kind === 'authority' ? subject.name : subject.host;
  return name.length > maxCommonNameLength ? der(tag.sequence) : commonName(name);
}

function commonName(text: string): Buffer {
  return der(tag.sequence, relativeName(text));
}

/** A RelativeDistinguishedName of one common name. */
export function relativeName(text: string): Buffer {
  return der(tag.set, der(tag.sequence, oid.commonName, der(tag.utf8String, Buffer.from(text))));
}

/** RFC 5280 4.1.2.2: positive and at most 20 octets. 126 random bits; the top two make it positive and minimal. */
function positiveSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

/** Primitive and context-specific: an IMPLICIT tag of a value that holds no others. */
function contextTag(number: number): number {
  return 0x80 | number;
}

/** A BIT STRING whose last `unused` bits do not count, X.690 8.6. */
function bitString(bits: Uint8Array, unused = 0): Buffer {
  return der(tag.bitString, Uint8Array.of(unused), bits);
}

/** X.690 11.1: the one way to write TRUE. */
const yes = der(tag.boolean, Uint8Array.of(0xff));

// KeyUsage, RFC 5280 4.2.1.3: digitalSignature is bit 0, keyCertSign 5, cRLSign 6; zeros at the end are not written (X.690 11.2.2).
const maySign = bitString(Uint8Array.of(0b1000_0000), 7);
const mayCertify = bitString(Uint8Array.of(0b0000_0110), 1);

const oid = {
  commonName: derObjectIdentifier('2.5.4.3'),
  basicConstraints: derObjectIdentifier('2.5.29.19'),
  keyUsage: derObjectIdentifier('2.5.29.15'),
  subjectKeyIdentifier: derObjectIdentifier('2.5.29.14'),
  authorityKeyIdentifier: derObjectIdentifier('2.5.29.35'),
  extKeyUsage: derObjectIdentifier('2.5.29.37'),
  subjectAltName: derObjectIdentifier('2.5.29.17'),
  serverAuth: derObjectIdentifier('1.3.6.1.5.5.7.3.1'),
};

/** RFC 5758 3.2: the parameters are absent. */
const ecdsaWithSha256 = der(tag.sequence, derObjectIdentifier('1.2.840.10045.4.3.2'));
