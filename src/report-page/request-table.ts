import { printable } from '../report/printable.ts';
import { DECISIONS, type RequestTable } from './page-data.ts';
import type { LoggedEntry } from './request-log.ts';

const MAX_LENGTH = { protocol: 8, method: 32, host: 255, path: 200, rule: 200, reason: 40, secrets: 200 };

/** Writes the chosen entries by columns, in order of time. */
export function createTable(
  entries: readonly LoggedEntry[],
  { startedAtMs, total, unreadable, truncated }: { startedAtMs: number } & Pick<RequestTable, 'total' | 'unreadable' | 'truncated'>,
): RequestTable {
  const texts: string[] = [];
  const indices = new Map<string, number>();
  const indexOf = (text: string | null, maxLength: number): number => {
    if (text === null || text === '') return -1;
    const shown = printable(text, maxLength);
    const known = indices.get(shown);
    if (known !== undefined) return known;
    indices.set(shown, texts.length);
    return texts.push(shown) - 1;
  };
  const timed = entries.map((entry) => ({ entry, startMs: Math.max(0, Date.parse(entry.time) - startedAtMs) }));
  timed.sort((a, b) => a.startMs - b.startMs || a.entry.id - b.entry.id);
  const column = (value: (entry: LoggedEntry) => number) => timed.map(({ entry }) => value(entry));
  return {
    startMs: timed.map(({ startMs }) => startMs),
    durationMs: column(({ durationMs }) => durationMs),
    decision: column(({ decision }) => DECISIONS.indexOf(decision)),
    protocol: column(({ protocol }) => indexOf(protocol, MAX_LENGTH.protocol)),
    method: column(({ method }) => indexOf(method, MAX_LENGTH.method)),
    host: column(({ host }) => indexOf(host, MAX_LENGTH.host)),
    port: column(({ port }) => port ?? 0),
    path: column(({ path }) => indexOf(path, MAX_LENGTH.path)),
    rule: column(({ rule }) => indexOf(rule, MAX_LENGTH.rule)),
    reason: column(({ reason }) => indexOf(reason, MAX_LENGTH.reason)),
    status: column(({ status }) => status ?? 0),
    requestBytes: column(({ requestBytes }) => requestBytes),
    responseBytes: column(({ responseBytes }) => responseBytes),
    secrets: column(({ secrets }) => indexOf(secrets.map(useText).join(', '), MAX_LENGTH.secrets)),
    texts, total, leftOut: total - entries.length, unreadable, truncated,
  };
}

function useText(use: LoggedEntry['secrets'][number]): string {
  const counts = ([['substitutions', 'swapped'], ['scrubs', 'scrubbed'], ['refusals', 'refused']] as const)
    .flatMap(([name, word]) => (Number(use?.[name]) > 0 ? [`${Number(use[name])} ${word}`] : []));
  return `${String(use?.name)}${counts.length > 0 ? ` (${counts.join(', ')})` : ''}`;
}
