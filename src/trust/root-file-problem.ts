import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { quote } from '../policy/quote.ts';

/** Why no root can be had from a file that a variable of the environment names, one sentence; null where at least one can. */
export function rootFileProblem(variable: string, file: string): string | null {
  const why = problemOf(file);
  return why === null ? null : `${variable}: ${quote(file)} ${why}, so nothing it is to vouch for is trusted: name a file of certificates in PEM form, or unset ${variable} for Decoy`;
}

function problemOf(file: string): string | null {
  try {
    // A pipe would be waited for.
    if (!fs.statSync(file).isFile()) return 'is not a file';
    return hasCertificate(fs.readFileSync(file, 'latin1')) ? null : 'holds no certificate';
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Of a bundle of a hundred, mostly the first is parsed alone. */
function hasCertificate(text: string): boolean {
  const blocks = text.matchAll(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [^-]+-----/g);
  for (const [pem] of blocks) {
    try {
      return Boolean(new X509Certificate(pem));
    } catch {
      // The next may be whole.
    }
  }
  return false;
}
