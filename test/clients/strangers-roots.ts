import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createAuthority } from '../../src/trust/authority.ts';
import { trustEnvironment } from '../../src/trust/environment.ts';
import { buildTrustStore } from '../../src/trust/pkcs12.ts';

/**
 * The end of Decoy's options and the beginning of a command line that take the run's authority from clients, for a test's must-fail
 * case: every variable that leads to it leads to another authority, and the directory where clients look by themselves is empty. Only
 * root can empty it; Debian's libcurl reads it whatever the variables say.
 */
export async function strangersRoots(workspace: string): Promise<string[]> {
  const { certificatePem } = await createAuthority();
  const paths = { bundle: path.join(workspace, 'stranger.pem'), authority: path.join(workspace, 'stranger.pem'), trustStore: path.join(workspace, 'stranger.p12') };
  writeFileSync(paths.authority, certificatePem);
  writeFileSync(paths.trustStore, buildTrustStore([certificatePem]));
  const variables = Object.entries(trustEnvironment(paths)).map(([name, value]) => `${name}=${value}`);
  return ['--user', 'root', '--', 'sh', '-c', 'rm -r /etc/ssl/certs/* && exec env "$@"', 'env', ...variables];
}
