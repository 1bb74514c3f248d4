import type { AuditEntry } from './audit-entry.ts';
import type { HostUsage } from './report.ts';
import { OTHER_HOSTS } from './other-hosts.ts';
import { printable } from './printable.ts';

/** Adds up traffic by host. */
export type HostTotals = {
  add(entry: AuditEntry, counted: { requests: number; blocked: number }): void;
  /** by requests, then blocked attempts, then name; what found no room of its own comes last, as `…other` */
  list(): HostUsage[];
};

const MAX_HOSTS = 1000;
/** RFC 1035, section 2.3.4: a name has at most 253 characters as text. */
const MAX_HOST_LENGTH = 255;

export function createHostTotals(): HostTotals {
  // A sandbox can invent refused names without end. They must not take the room of hosts that were really talked to, so a host
  // with a request of its own displaces one that was only ever refused.
  const served = new Map<string, HostUsage>();
  const refusedOnly = new Map<string, HostUsage>();
  const other = emptyUsage(OTHER_HOSTS);

  const roomFor = (host: string, isServed: boolean): HostUsage => {
    const known = served.get(host) ?? refusedOnly.get(host);
    if (known) {
      if (isServed && refusedOnly.delete(host)) served.set(host, known);
      return known;
    }
    if (served.size + refusedOnly.size >= MAX_HOSTS) {
      const [displaced] = refusedOnly.values();
      if (!isServed || !displaced) return other;
      refusedOnly.delete(displaced.host);
      mergeUsage(other, displaced);
    }
    const usage = emptyUsage(host);
    (isServed ? served : refusedOnly).set(host, usage);
    return usage;
  };

  return {
    add(entry, counted) {
      const usage = roomFor(printable(entry.host, MAX_HOST_LENGTH), counted.requests > 0);
      mergeUsage(usage, { ...counted, requestBytes: entry.requestBytes, responseBytes: entry.responseBytes, substitutions: 0, scrubs: 0 });
      for (const use of entry.secrets) {
        usage.substitutions += use.substitutions;
        usage.scrubs += use.scrubs;
      }
    },
    list() {
      const named = [...served.values(), ...refusedOnly.values()].map((usage) => ({ ...usage }));
      named.sort((a, b) => b.requests - a.requests || b.blocked - a.blocked || (a.host < b.host ? -1 : 1));
      return other.requests + other.blocked > 0 ? [...named, { ...other }] : named;
    },
  };
}

function emptyUsage(host: string): HostUsage {
  return { host, requests: 0, blocked: 0, requestBytes: 0, responseBytes: 0, substitutions: 0, scrubs: 0 };
}

function mergeUsage(into: HostUsage, from: Omit<HostUsage, 'host'>): void {
  into.requests += from.requests;
  into.blocked += from.blocked;
  into.requestBytes += from.requestBytes;
  into.responseBytes += from.responseBytes;
  into.substitutions += from.substitutions;
  into.scrubs += from.scrubs;
}
