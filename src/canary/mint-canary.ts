import { randomBytes } from 'node:crypto';
import type { Rule } from '../policy/policy.ts';
import type { AuditEntry } from '../report/audit-entry.ts';
import { mintSecrets } from '../secrets/mint-secrets.ts';
import type { Secret } from '../secrets/secret.ts';

/**
 * A secret and names for the rehearsal before the command starts. They are new for every run, nobody but this process knows them,
 * and they are gone when the command starts.
 */
export type Canary = {
  secret: Secret;
  /** the secret is bound to it; no rule names it */
  host: string;
  /** `rules` allow one path of it; no secret is bound to it */
  otherHost: string;
  /** nothing allows it */
  unlistedHost: string;
  rules: readonly Rule[];
  allowedPath: string;
  /** `record` without what is the canary's own: what no command did is in no report and no log */
  hideFrom(record: (entry: AuditEntry) => void): (entry: AuditEntry) => void;
};

export function mintCanary(): Canary {
  const host = mintName('canary');
  const otherHost = mintName('other');
  const unlistedHost = mintName('unlisted');
  const own = new Set([host, otherHost, unlistedHost]);
  const allowedPath = '/allowed';
  const [secret] = mintSecrets([{
    // 48 hexadecimal digits: the placeholder has the value's length, and both are whole groups in base64, so answers can be compared whole.
    name: 'start-up canary', hosts: [{ kind: 'exact', name: host }], hostTexts: [host], value: randomBytes(24).toString('hex'),
  }]) as [Secret];
  return {
    secret, host, otherHost, unlistedHost, allowedPath,
    rules: [{ kind: 'http', text: `GET ${otherHost}${allowedPath}`, methods: ['GET'], host: { kind: 'exact', name: otherHost }, port: null, path: allowedPath }],
    hideFrom: (record) => (entry) => {
      if (!own.has(entry.host)) record(entry);
    },
  };
}

/**
 * Right below a top-level name: no wildcard that a rule may have covers it. `.invalid` is no real name's (RFC 6761, section 6.4), so
 * that it leads nowhere should it ever be looked up elsewhere.
 */
function mintName(role: string): string {
  return `${role}-${randomBytes(16).toString('hex')}.invalid`;
}
