import type { RefusalReason } from '../policy/policy.ts';

/**
 * One line of the audit log: one request, refused connection or DNS question.
 * It never holds a header value, a body, a query value or a secret in any encoding: `path` is without the query,
 * and with every placeholder or real value in it replaced by `[NAME]`.
 */
export type AuditEntry = {
  /** ISO 8601, UTC */
  time: string;
  /** unique within the run, ascending */
  id: number;
  protocol: 'https' | 'http' | 'tls' | 'tcp' | 'dns';
  method: string | null;
  host: string;
  port: number | null;
  path: string | null;
  decision: 'allowed' | 'blocked' | 'failed';
  /** text of the rule that allowed it */
  rule: string | null;
  /** why it was not allowed; with `allowed`, in observe mode, why it would not have been */
  reason: RefusalReason | null;
  /** one sentence: what to change so that it is allowed; goes to the report, not to the log */
  remedy: string | null;
  status: number | null;
  /** body bytes as the upstream received / sent them */
  requestBytes: number;
  responseBytes: number;
  durationMs: number;
  /** names of the secrets substituted, scrubbed or refused in this request */
  secrets: readonly SecretUse[];
};

export type SecretUse = { name: string; substitutions: number; scrubs: number; refusals: number };
