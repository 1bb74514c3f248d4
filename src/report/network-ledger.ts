import type { Secret } from '../secrets/secret.ts';
import type { AuditEntry, SecretUse } from './audit-entry.ts';
import type { BlockedGroup, NetworkUsage, SecretTotals } from './report.ts';
import { createAskedRequests, type AskedRequest } from './asked-requests.ts';
import { createHostTotals } from './host-totals.ts';
import { createRefusalGroups, type Refusal } from './refusal-groups.ts';

/**
 * Adds up the network side of the report, in constant memory whatever the sandbox does.
 *
 * What counts: every request, raw connection and failed handshake, once. One that reached or tried to reach its host is a
 * request; one that was refused is blocked, and not also a request. A DNS question that is answered is neither: the request
 * that follows it is. A refused name is blocked: no request can follow it. See `RefusalGroups` for how its retries count.
 */
export type Ledger = {
  add(entry: AuditEntry): void;
  /** so far, for the timeline */
  counts(): { requests: number; blocked: number };
  network(): NetworkUsage;
  secrets(): SecretTotals[];
  /** misuse of secrets first, then by count */
  blocked(): BlockedGroup[];
  /** what observe mode let through, by count; not the names, which requests follow */
  observed(): BlockedGroup[];
  /** what was let through and failed at the upstream, by count */
  failed(): BlockedGroup[];
  /** the same with what observe mode let through: what `proposeAllow` reads */
  refusals(): Refusal[];
  /** what was asked for, for `suggestAllow` */
  requests(): AskedRequest[];
};

/** What the ledger needs of a secret: never its value. */
export type LedgerSecret = Pick<Secret, 'name' | 'hostTexts' | 'placeholderPrefix'>;

export function createLedger(secrets: readonly LedgerSecret[]): Ledger {
  const hosts = createHostTotals();
  const refusals = createRefusalGroups();
  const failures = createRefusalGroups();
  const asked = createAskedRequests();
  const uses = new Map(secrets.map(({ name }) => [name, { substitutions: 0, scrubs: 0, refusals: 0 }]));
  const total = { requests: 0, blocked: 0, requestBytes: 0, responseBytes: 0 };

  return {
    add(entry) {
      asked.add(entry);
      const isRefusal = entry.reason !== null && entry.decision !== 'failed';
      const isNew = isRefusal ? refusals.add(entry) : true;
      if (entry.reason !== null && entry.decision === 'failed') failures.add(entry);
      const counted = entry.decision === 'blocked' ? isNew : entry.protocol !== 'dns';
      const requests = counted && entry.decision !== 'blocked' ? 1 : 0;
      const blocked = counted && entry.decision === 'blocked' ? 1 : 0;
      total.requests += requests;
      total.blocked += blocked;
      total.requestBytes += entry.requestBytes;
      total.responseBytes += entry.responseBytes;
      for (const use of entry.secrets) addUse(uses, use);
      if (counted) hosts.add(entry, { requests, blocked });
    },
    counts: () => ({ requests: total.requests, blocked: total.blocked }),
    network: () => ({ ...total, hosts: hosts.list() }),
    secrets: () =>
      secrets.map(({ name, hostTexts, placeholderPrefix }) => ({ name, hosts: [...hostTexts], placeholderPrefix, ...uses.get(name)! })),
    blocked: () => refusals.list().filter((refusal) => !refusal.observed).map(reportedGroup),
    observed: () => refusals.list().filter((refusal) => refusal.observed && refusal.transport !== 'dns').map(reportedGroup),
    failed: () => failures.list().map(reportedGroup),
    refusals: () => refusals.list(),
    requests: () => asked.list(),
  };
}

function addUse(uses: ReadonlyMap<string, Omit<SecretUse, 'name'>>, use: SecretUse): void {
  const sum = uses.get(use.name);
  if (!sum) return;
  sum.substitutions += use.substitutions;
  sum.scrubs += use.scrubs;
  sum.refusals += use.refusals;
}

function reportedGroup({ host, port, method, path, reason, count, remedy }: Refusal): BlockedGroup {
  return { host, port, method, path, reason, count, remedy };
}
