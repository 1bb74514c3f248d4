import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { systemRootFiles } from './system-root-files.ts';

/** The host's trusted roots, PEM: the first bundle of the usual places, or else the roots Node was built with. */
export async function readSystemRoots(paths: readonly string[] = systemRootFiles): Promise<string> {
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  }
  return rootCertificates.join('\n');
}
