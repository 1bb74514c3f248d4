import { createPrivateKey, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { parseHostPattern } from '../policy/parse-host-pattern.ts';
import type { HostPattern } from '../policy/policy.ts';
import { quote } from '../policy/quote.ts';
import { unreachableHost } from '../policy/unreachable-host.ts';
import type { ClientCertificate } from '../proxy/upstream-contexts.ts';

export type ParsedClientCertificates = { certificates: ClientCertificate[]; problems: string[] };

/**
 * Parses `HOST=CERT_FILE,KEY_FILE` lines and reads the files. Problems name the line's number and the files, and never quote a line that
 * is not of this form, nor what a file holds: it may be a key.
 * @param seenAt the directory through which the sandbox could read a file, or null
 */
export function parseClientCertificates(lines: readonly string[], { seenAt }: { seenAt(file: string): string | null }): ParsedClientCertificates {
  const certificates = new Map<string, ClientCertificate>();
  const problems: string[] = [];
  lines.forEach((line, index) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return;
    const [, hostText, certificateFile, keyFile] = /^([^=,]+)=([^,]+),([^,]+)$/.exec(text) ?? [];
    if (hostText === undefined) return void problems.push(`client-certificates: line ${index + 1} is not \`HOST=CERT_FILE,KEY_FILE\`: write the host and the paths of two PEM files`);
    const host = parseCertificateHost(hostText.trim());
    const pair = readPair({ certificateFile: certificateFile!.trim(), keyFile: keyFile!.trim() }, seenAt);
    const key = host.ok ? `${host.value.kind} ${host.value.name}` : '';
    if (certificates.has(key)) problems.push(`client-certificates: ${quote(hostText.trim())} is given twice: leave one line out`);
    for (const result of [host, pair]) if (!result.ok) problems.push(`client-certificates: ${result.problem}`);
    if (host.ok && pair.ok) certificates.set(key, { host: host.value, ...pair.value });
  });
  return { certificates: [...certificates.values()], problems };
}

type Result<T> = { ok: true; value: T } | { ok: false; problem: string };
type Pair = Omit<ClientCertificate, 'host'>;

export function parseCertificateHost(text: string): Result<HostPattern> {
  const pattern = parseHostPattern(text);
  const problem = pattern.ok ? unreachableHost(pattern.value.name) : null;
  return problem === null ? pattern : { ok: false, problem };
}

function readPair({ certificateFile, keyFile }: { certificateFile: string; keyFile: string }, seenAt: (file: string) => string | null): Result<Pair> {
  const certificate = readPem(certificateFile, { what: 'CERTIFICATE', seenAt });
  if (!certificate.ok) return certificate;
  const key = readPem(keyFile, { what: 'PRIVATE KEY', seenAt });
  if (!key.ok) return key;
  if (key.value.includes('ENCRYPTED')) return { ok: false, problem: `the key in ${quote(keyFile)} is encrypted: write it without a passphrase, with \`openssl pkey -in FILE -out FILE\`` };
  const problem = pairProblem(certificate.value, key.value);
  return problem === null
    ? { ok: true, value: { certificatePem: certificate.value, keyPem: key.value } }
    : { ok: false, problem: `${quote(certificateFile)} and ${quote(keyFile)} ${problem}` };
}

function readPem(file: string, { what, seenAt }: { what: string; seenAt(file: string): string | null }): Result<string> {
  try {
    const real = fs.realpathSync(file);
    const directory = seenAt(real);
    if (directory !== null) return { ok: false, problem: `${quote(file)} lies in ${quote(directory)}, where the sandbox could read it: move it to a directory the sandbox does not see, such as the runner's temporary one` };
    const text = fs.readFileSync(real, 'utf8');
    if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return { ok: true, value: text };
    return { ok: false, problem: `${quote(file)} holds no ${what.toLowerCase()} in PEM form: convert it with \`openssl ${what === 'CERTIFICATE' ? 'x509' : 'pkey'}\`` };
  } catch (error) {
    return { ok: false, problem: `cannot read ${quote(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a readable file` };
  }
}

/** Not by a TLS context: this is read at every start, and node:tls is not needed there. */
function pairProblem(certificatePem: string, keyPem: string): string | null {
  try {
    if (new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem))) return null;
    return 'do not belong together: give the certificate and its own key';
  } catch (error) {
    return `cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}): check both with \`openssl x509 -in FILE\` and \`openssl pkey -in FILE\``;
  }
}
