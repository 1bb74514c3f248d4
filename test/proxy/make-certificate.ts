import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files with a self-signed certificate and its key, made by OpenSSL. */
export function makeCertificate(folder: string, name: string, { passphrase, altName }: { passphrase?: string; altName?: string } = {}) {
  const certificateFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  const { status, stderr } = spawnSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '2', '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', certificateFile,
    ...(altName === undefined ? [] : ['-addext', `subjectAltName=DNS:${altName}`]),
    ...(passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`]),
  ], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { certificateFile, keyFile, certificatePem: readFileSync(certificateFile, 'utf8'), keyPem: readFileSync(keyFile, 'utf8') };
}
