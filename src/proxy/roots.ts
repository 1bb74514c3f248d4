import { readFile } from 'node:fs/promises';
import tls from 'node:tls';

/** Files with roots of the host that are trusted for upstreams, too. */
export type RootFiles = {
  /** each of them: NODE_EXTRA_CA_CERTS */
  extra: readonly string[];
  /** the first that holds a certificate: the places where systems keep their bundle */
  system: readonly string[];
  /** the variables whose file, one of these, holds no root that can be used: what a refused certificate's remedy tells of */
  unusable?: readonly string[];
};

/**
 * All roots, those Node was built with included, PEM; read when they are first needed, and once. What cannot be read is
 * left out: a certificate it would vouch for is refused then, with the reason.
 */
export function lazyRoots({ pems, files }: { pems: readonly string[]; files: RootFiles }): () => Promise<string[]> {
  let roots: Promise<string[]> | undefined;
  const readAll = async () => {
    const read = await Promise.all([readFirst(files.system), ...files.extra.map(readPem)]);
    return distinct([...builtIn(), ...read, ...pems]);
  };
  return () => (roots ??= readAll());
}

/** Each certificate once, for parsing one takes a fifth of a millisecond, and by itself, for OpenSSL reads a text up to its first fault. */
function distinct(texts: readonly string[]): string[] {
  const found = new Map<string, string>();
  for (const pem of texts.join('\n').match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? []) found.set(pem.replaceAll('\n', ''), pem);
  return [...found.values()];
}

/** Since Node 22.15 those that its options choose (`--use-openssl-ca` and the like). */
function builtIn(): readonly string[] {
  const { getCACertificates } = tls as unknown as { getCACertificates?: (type: 'default') => string[] };
  return getCACertificates?.('default') ?? tls.rootCertificates;
}

async function readFirst(paths: readonly string[]): Promise<string> {
  for (const path of paths) {
    const pem = await readPem(path);
    if (pem !== '') return pem;
  }
  return '';
}

/** Empty where there is none. */
async function readPem(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.includes('-----BEGIN') ? text : '';
}
