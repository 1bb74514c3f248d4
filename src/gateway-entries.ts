import { OBSERVE_RULE } from './policy/observe-policy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { GatewayRefusal, NameQuestion } from './sandbox/gateway.ts';

/** The audit entry of a DNS question. `listed`: some rule could allow the name; where only `mode: observe` does, the entry says so. */
export function nameEntry({ id, question, host, allowed, listed = allowed }: { id: number; question: NameQuestion; host: string | null; allowed: boolean; listed?: boolean }): AuditEntry {
  const name = host ?? question.name.slice(0, 255);
  return {
    ...blank(id), protocol: 'dns', host: name, decision: allowed ? 'allowed' : 'blocked',
    reason: listed ? null : 'name-not-allowed', rule: allowed && !listed ? OBSERVE_RULE : null,
    remedy: listed ? null : host === null ? 'this is not a name that can be allowed' : `add \`${name}\` to allow`,
  };
}

/** The audit entry of what the gateway turned away without asking. */
export function refusalEntry({ id, refusal }: { id: number; refusal: GatewayRefusal }): AuditEntry {
  const told = Object.hasOwn(GATEWAY_REASONS, refusal.reason) ? GATEWAY_REASONS[refusal.reason]! : GATEWAY_REASONS['no-name-for-address']!;
  return { ...blank(id), host: refusal.address || 'gateway', port: refusal.port || null, decision: 'blocked', ...told };
}

/** What the gateway's own words for it are in the audit log. */
export const GATEWAY_REASONS: Readonly<Record<string, Pick<AuditEntry, 'protocol' | 'reason' | 'remedy'>>> = {
  'no-name-for-address': { protocol: 'tcp', reason: 'no-name-for-address', remedy: 'connect by name: only names the rules allow have an address' },
  'malformed-name': { protocol: 'dns', reason: 'name-not-allowed', remedy: 'what was asked for is no host name, and so is not shown: it cannot be allowed' },
  capacity: { protocol: 'tcp', reason: 'capacity', remedy: 'open fewer connections, and ask for fewer names, at once' },
  suppressed: { protocol: 'tcp', reason: 'capacity', remedy: 'more was refused in one second than is told one by one: connect by name, and try less often' },
};

function blank(id: number): AuditEntry {
  return {
    time: new Date().toISOString(), id, protocol: 'tcp', method: null, host: '', port: null, path: null, decision: 'blocked', rule: null, reason: null,
    remedy: null, status: null, requestBytes: 0, responseBytes: 0, durationMs: 0, secrets: [],
  };
}
