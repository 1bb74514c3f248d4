import type { TarEntry } from './pack-tree.ts';

export type DecoyFolderOptions = {
  trust: { authorityPem: string; bundlePem: string; trustStore: Buffer };
  /** the user's script, if it is one */
  script?: string;
};

/** /decoy: root's, so that the user cannot take its own trust away or have another script run in this one's place. */
export function decoyFolder({ trust, script }: DecoyFolderOptions): TarEntry[] {
  return [
    { name: 'decoy', type: 'directory', mode: 0o755, uid: 0, gid: 0 },
    file('decoy/ca.pem', 0o644, trust.authorityPem),
    file('decoy/bundle.pem', 0o644, trust.bundlePem),
    file('decoy/truststore.p12', 0o644, trust.trustStore),
    ...(script === undefined ? [] : [file('decoy/script', 0o755, script)]),
  ];
}

function file(name: string, mode: number, content: Buffer | string): TarEntry {
  return { name, type: 'file', mode, uid: 0, gid: 0, content };
}
