import type { AuditEntry } from '../report/audit-entry.ts';
import { isSecretMisuse } from '../report/is-secret-misuse.ts';
import { DECISIONS, type RequestTable, type Traffic } from './page-data.ts';
import { createTable } from './request-table.ts';
import { createTrafficBins } from './traffic-bins.ts';

/** What the page keeps of an audit log, in bounded memory. */
export type RequestLog = {
  /** one line of the audit log */
  add(line: string): void;
  /** @param startedAtMs when the command was started, milliseconds since 1970: the zero of the page's times */
  read(startedAtMs: number): { table: RequestTable; traffic: Traffic };
};

/** A line of the log, of which the page believes nothing: it may have been written by anyone. */
export type LoggedEntry = Omit<AuditEntry, 'remedy'>;

export const MAX_REQUESTS = 50_000;
/**
 * Rows that a kind of request can count on when there are too many: a flood of one kind cannot push the others out of the page. What a kind
 * does not need goes to the others, in this order.
 */
const ROOM = { misuse: 5_000, refused: 15_000, allowed: 30_000 };
type Kind = keyof typeof ROOM;

/** @param zeroMs no request began earlier, milliseconds since 1970 */
export function createRequestLog({ zeroMs }: { zeroMs: number }): RequestLog {
  const kept: Record<Kind, LoggedEntry[]> = { misuse: [], refused: [], allowed: [] };
  const bins = createTrafficBins();
  const counts = { total: 0, unreadable: 0, truncated: false };
  return {
    add(line) {
      if (line.trim() === '') return;
      const entry = parseLine(line);
      if (entry === 'truncated') counts.truncated = true;
      if (entry === null) counts.unreadable++;
      if (entry === null || entry === 'truncated') return;
      counts.total++;
      // As in the report's totals: the request that follows a name look-up counts, not the look-up.
      if (entry.protocol !== 'dns' || entry.decision !== 'allowed') bins.add((Date.parse(entry.time) - zeroMs) / 1000, { [entry.decision]: 1 });
      const list = kept[kindOf(entry)];
      if (list.length < MAX_REQUESTS) list.push(entry);
    },
    read: (startedAtMs) => ({ table: createTable(choose(kept), { startedAtMs, ...counts }), traffic: { ...bins.traffic(), fromSeconds: (zeroMs - startedAtMs) / 1000 } }),
  };
}

function kindOf({ decision, reason }: LoggedEntry): Kind {
  if (reason !== null && isSecretMisuse(reason)) return 'misuse';
  return decision === 'allowed' ? 'allowed' : 'refused';
}

/** The earliest of each kind. */
function choose(kept: Readonly<Record<Kind, readonly LoggedEntry[]>>): LoggedEntry[] {
  const kinds = Object.keys(ROOM) as Kind[];
  let spare = MAX_REQUESTS - kinds.reduce((sum, kind) => sum + Math.min(kept[kind].length, ROOM[kind]), 0);
  return kinds.flatMap((kind) => {
    const more = Math.min(spare, Math.max(0, kept[kind].length - ROOM[kind]));
    spare -= more;
    return kept[kind].slice(0, ROOM[kind] + more);
  });
}

function parseLine(line: string): LoggedEntry | 'truncated' | null {
  try {
    const value = JSON.parse(line) as Record<string, unknown> | null;
    if (typeof value !== 'object' || value === null) return null;
    if ('truncated' in value) return 'truncated';
    return isEntry(value) ? value : null;
  } catch {
    return null;
  }
}

function isEntry(value: Record<string, unknown>): value is LoggedEntry & Record<string, unknown> {
  const are = (type: string, names: readonly string[]) => names.every((name) => typeof value[name] === type);
  return are('string', ['time', 'protocol', 'host']) && are('number', ['id', 'requestBytes', 'responseBytes', 'durationMs'])
    && !Number.isNaN(Date.parse(value['time'] as string)) && (DECISIONS as readonly unknown[]).includes(value['decision'])
    && ['method', 'path', 'rule', 'reason'].every((name) => value[name] === null || typeof value[name] === 'string')
    && ['port', 'status'].every((name) => value[name] === null || typeof value[name] === 'number') && Array.isArray(value['secrets']);
}
