import type { Limits } from './report.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { Sample } from '../usage/usage.ts';
import { printable } from './printable.ts';
import { renderBytes, renderCount, renderSeconds } from './quantities.ts';

/** Lines for whoever watches a run in its log; null where there is nothing to say. */
export type LiveLines = {
  /** each kind of refusal once, and no more than MAX_BLOCKED of them */
  blocked(entry: AuditEntry): string | null;
  /** a sign of life, once in HEARTBEAT_SECONDS of the command's time */
  heartbeat(sample: Sample): string | null;
};

export const MAX_BLOCKED = 20;
export const HEARTBEAT_SECONDS = 60;

export function createLiveLines({ limits }: { limits: Limits }): LiveLines {
  const told = new Set<string>();
  let nextSeconds = HEARTBEAT_SECONDS;
  return {
    blocked(entry) {
      if (entry.decision !== 'blocked' || told.size > MAX_BLOCKED) return null;
      const line = `blocked ${attempt(entry)}: ${entry.reason ?? 'refused'}`;
      if (told.has(line)) return null;
      told.add(line);
      return told.size > MAX_BLOCKED ? 'more was blocked: the report and the audit log have it all' : line;
    },
    heartbeat({ atSeconds, cpuSeconds, memoryBytes, storageBytes, requests, blocked }) {
      if (atSeconds < nextSeconds) return null;
      nextSeconds = (Math.floor(atSeconds / HEARTBEAT_SECONDS) + 1) * HEARTBEAT_SECONDS;
      const disk = storageBytes === null ? [] : [`${renderBytes(storageBytes)} of ${renderBytes(limits.storageBytes)} disk`];
      return [
        `${renderSeconds(Math.floor(atSeconds))} of ${renderSeconds(limits.wallSeconds)}`, `${renderSeconds(cpuSeconds)} of CPU time`, `${renderBytes(memoryBytes)} of ${renderBytes(limits.memoryBytes)} memory`,
        ...disk, `${renderCount(requests, 'request')}, ${blocked} blocked`,
      ].join('; ');
    },
  };
}

/** The query is no part of an entry; what is there may be the sandbox's choice all the same. */
function attempt({ protocol, method, host, port, path }: AuditEntry): string {
  const name = printable(host, 255);
  if (protocol === 'dns') return `the name ${name}`;
  const place = `${name}${port === null ? '' : `:${port}`}`;
  return method === null ? `a connection to ${place}` : `${printable(method, 32)} ${place}${printable(path ?? '', 300)}`;
}
