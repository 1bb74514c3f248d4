import { nameEntry, refusalEntry } from './gateway-entries.ts';
import { normaliseHost } from './policy/normalise-host.ts';
import type { Policy } from './policy/policy.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import type { GatewayOptions } from './sandbox/gateway.ts';

/** What the gateway is told of the policy, and the audit entries of what it answers and turns away. */
export function gatewayPolicy({ policy, record }: { policy: Policy; record(entry: AuditEntry): void }): Pick<GatewayOptions, 'ports' | 'addresses' | 'judgeName' | 'onRefusal'> {
  let number = 0;
  return {
    ports: policy.ports,
    addresses: policy.addresses,
    judgeName: (question) => {
      const host = normaliseHost(question.name);
      const allowed = host !== null && policy.couldAllow(host);
      const listed = host !== null && (policy.enforced ?? policy).couldAllow(host);
      record(nameEntry({ id: -(number += 1), question, host, allowed, listed }));
      return allowed;
    },
    onRefusal: (refusal) => record(refusalEntry({ id: -(number += 1), refusal })),
  };
}
