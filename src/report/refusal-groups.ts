import type { AuditEntry } from './audit-entry.ts';
import type { BlockedGroup } from './report.ts';
import { isSecretMisuse } from './is-secret-misuse.ts';
import { OTHER_HOSTS } from './other-hosts.ts';
import { printable, printableSentence } from './printable.ts';

/** A group of refusals; `observed` ones were let through by observe mode and would have been refused in enforce mode. */
export type Refusal = BlockedGroup & {
  observed: boolean; transport: 'tls' | 'http' | 'tcp' | 'dns';
  /** the rules refused it, and it would have taken a secret along */
  misused: boolean;
};

/**
 * Groups refusals by host, port and reason, and by method and path where the reason is about those.
 *
 * One look-up of a refused name arrives as several DNS questions: A and AAAA side by side (RFC 8305, section 3), and again
 * from clients that try once more at once. The questions for one name within 5 seconds of the last one counted, a
 * resolver's own time-out (resolv.conf(5)), are one attempt; a client that comes back later is a new one. Different names are
 * always different attempts, so a sandbox cannot hide a look-up behind another: give the sandbox no search domain, or each
 * look-up counts once more for every suffix tried.
 */
export type RefusalGroups = {
  /** Adds an entry that has a reason. False where it is only the echo of an attempt already counted. */
  add(entry: AuditEntry): boolean;
  list(): Refusal[];
};

const DNS_BURST_MS = 5000;
/** Misuse of secrets has room of its own: a flood of junk names must not push it out of the report. */
const MAX_GROUPS = { secretMisuse: 200, other: 300 };
/** Of one host, port and reason; further methods and paths share one group without either. */
const MAX_PATHS = 20;
const MAX_LENGTH = { host: 255, method: 32, path: 512, remedy: 1000 };

export function createRefusalGroups(): RefusalGroups {
  const groups = new Map<string, Refusal>();
  const overflow = new Map<string, Refusal>();
  const pathsOf = new Map<string, number>();
  const pastPaths = new Set<string>();
  const countedAtMs = new Map<string, number>();
  const sizes = { secretMisuse: 0, other: 0 };

  const findOrCreate = (entry: AuditEntry, exact: Refusal): { key: string; group: Refusal } => {
    const base = keyOf({ ...exact, method: null, path: null });
    const known = (key: string): { key: string; group: Refusal } | null => {
      const group = groups.get(key);
      return group ? { key, group } : null;
    };
    const isByPath = isAboutTheRequest(exact);
    const detailed = isByPath ? keyOf(exact) : base;
    const found = known(detailed);
    if (found) return found;
    const paths = pathsOf.get(base) ?? 0;
    const isPastPaths = isByPath && paths >= MAX_PATHS;
    const key = isPastPaths ? base : detailed;
    const shared = isPastPaths ? known(base) : null;
    if (shared) return shared;

    const tier = isSecretMisuse(exact.reason) ? 'secretMisuse' : 'other';
    if (sizes[tier] >= MAX_GROUPS[tier]) return overflowGroup(overflow, exact);
    sizes[tier]++;
    if (isByPath) pathsOf.set(base, paths + 1);
    const group = { ...exact, remedy: remedyOf(entry) };
    if (isPastPaths) {
      Object.assign(group, { method: null, path: null });
      pastPaths.add(key);
    }
    groups.set(key, group);
    return { key, group };
  };

  return {
    add(entry) {
      const exact = refusalOf(entry);
      const { key, group } = findOrCreate(entry, exact);
      if (entry.protocol === 'dns' && group.host !== OTHER_HOSTS) {
        const atMs = Date.parse(entry.time);
        const lastMs = countedAtMs.get(key);
        if (lastMs !== undefined && atMs - lastMs < DNS_BURST_MS) return false;
        countedAtMs.set(key, atMs);
      }
      group.count++;
      // The line that would allow one of them is not the one for the others.
      if (pastPaths.has(key) && group.remedy !== remedyOf(entry)) group.remedy = 'Too many different methods and paths to list: the audit log has each one.';
      if (group.method !== exact.method) group.method = null;
      if (group.path !== exact.path) group.path = null;
      return true;
    },
    list() {
      const all = [...groups.values(), ...overflow.values()].map((group) => ({ ...group }));
      return all.sort((a, b) => Number(isSecretMisuse(b.reason)) - Number(isSecretMisuse(a.reason)) || b.count - a.count);
    },
  };
}

function refusalOf(entry: AuditEntry): Refusal {
  return {
    host: printable(entry.host, MAX_LENGTH.host),
    port: entry.port,
    method: entry.method === null ? null : printable(entry.method, MAX_LENGTH.method),
    path: entry.path === null ? null : printable(withoutQuery(entry.path.slice(0, MAX_LENGTH.path + 1)), MAX_LENGTH.path),
    reason: entry.reason!,
    count: 0,
    remedy: '',
    observed: entry.decision === 'allowed',
    transport: entry.protocol === 'https' ? 'tls' : entry.protocol,
    misused: entry.decision === 'blocked' && entry.secrets.some(({ refusals }) => refusals > 0),
  };
}

function remedyOf({ remedy }: AuditEntry): string {
  return printableSentence(remedy ?? '', MAX_LENGTH.remedy);
}

/** Query values never reach a report, even if an entry should hold one. */
function withoutQuery(path: string): string {
  return path.replace(/[?#].*$/s, '');
}

/** Whether method and path matter to the remedy; for a host that is not allowed they do not. */
function isAboutTheRequest({ reason }: Refusal): boolean {
  return reason === 'method-not-allowed' || reason === 'path-not-allowed' || isSecretMisuse(reason);
}

function keyOf({ host, port, method, path, reason, observed, transport, misused }: Refusal): string {
  return JSON.stringify([host, port, method, path, reason, observed, transport, misused]);
}

function overflowGroup(overflow: Map<string, Refusal>, { reason, observed, transport, misused }: Refusal): { key: string; group: Refusal } {
  const key = JSON.stringify([reason, observed]);
  let group = overflow.get(key);
  if (!group) {
    const remedy = 'Too many different refusals to list: the audit log has each one.';
    group = { host: OTHER_HOSTS, port: null, method: null, path: null, reason, count: 0, remedy, observed, transport, misused };
    overflow.set(key, group);
  }
  return { key, group };
}
