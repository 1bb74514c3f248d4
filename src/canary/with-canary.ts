import type { RunConfig } from '../config.ts';
import { compilePolicy } from '../policy/compile-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { AuditEntry } from '../report/audit-entry.ts';
import type { Secret } from '../secrets/secret.ts';
import { mintCanary, type Canary } from './mint-canary.ts';
import { replaceable } from './replaceable.ts';

export type Judging = { config: Pick<RunConfig, 'rules'>; secrets: readonly Secret[]; policy: Policy; record(entry: AuditEntry): void };

export type WithCanary = { canary: Canary; withdrawCanary(): void };

/**
 * The same parts of a run for the time before the command starts: the policy is compiled of the run's own rules and bindings and the
 * canary's, until that is withdrawn; then it is the run's own.
 */
export function withCanary<Parts extends Judging>(parts: Parts): Parts & WithCanary {
  const canary = mintCanary();
  const policy = replaceable(compilePolicy({ rules: [...parts.config.rules, ...canary.rules], bindings: [...parts.secrets, canary.secret] }));
  return { ...parts, policy: policy.value, record: canary.hideFrom(parts.record), canary, withdrawCanary: () => policy.replace(parts.policy) };
}
