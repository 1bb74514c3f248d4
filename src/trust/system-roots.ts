import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';

/** The host's trusted roots, PEM: the first bundle of the usual places, or else the roots Node was built with. */
export async function readSystemRoots(paths: readonly string[] = systemRootFiles): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  }
  return rootCertificates.join('\n');
}

/** Where systems keep their bundle, in the order of Go's crypto/x509 (root_linux.go). */
export const systemRootFiles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
