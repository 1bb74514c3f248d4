import type { Authority } from './trust/authority.ts';
import { trustFiles } from './trust/trust-files.ts';

/** Absolute paths of the files that make clients of a sandbox trust this run's authority. */
export function placedFiles({ certificatePem }: Pick<Authority, 'certificatePem'>): string[] {
  return trustFiles({ bundlePem: '', authorityPem: certificatePem, trustStore: Buffer.alloc(0) }).map(({ path }) => path);
}
