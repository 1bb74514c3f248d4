import type { AuditEntry } from './report/audit-entry.ts';
import type { GatewayRefusal, NameQuestion } from './sandbox/gateway.ts';

/** The audit entry of a DNS question. */
export function nameEntry({ id, question, host, allowed }: { id: number; question: NameQuestion; host: string | null; allowed: boolean }): AuditEntry {
  const name = host ?? question.name.slice(0, 255);
  return {
    ...blank(id), protocol: 'dns', host: name, decision: allowed ? 'allowed' : 'blocked',
    reason: allowed ? null : 'name-not-allowed',
    remedy: allowed ? null : host === null ? 'this is not a name that can be allowed' : `add \`${name}\` to allow`,
  };
}

/** The audit entry of a connection the gateway turned away. */
export function refusalEntry({ id, refusal }: { id: number; refusal: GatewayRefusal }): AuditEntry {
  const isCapacity = refusal.reason === 'capacity';
  return {
    ...blank(id), protocol: 'tcp', host: refusal.address || 'gateway', port: refusal.port || null, decision: 'blocked',
    reason: isCapacity ? 'capacity' : 'no-name-for-address',
    remedy: isCapacity ? 'open fewer connections at once' : 'connect by name: only names the rules allow have an address',
  };
}

function blank(id: number): AuditEntry {
  return {
    time: new Date().toISOString(), id, protocol: 'tcp', method: null, host: '', port: null, path: null, decision: 'blocked', rule: null, reason: null,
    remedy: null, status: null, requestBytes: 0, responseBytes: 0, durationMs: 0, secrets: [],
  };
}
