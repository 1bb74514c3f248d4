import { DECISIONS, type RequestTable } from '../src/report-page/page-data.ts';
import { compare } from './table.ts';
import type { Range } from './range.ts';

/** `host`, `method`: an index into the table's texts, null for any. `decisions`: those that are shown. */
export type Filter = { text: string; host: number | null; method: number | null; decisions: ReadonlySet<(typeof DECISIONS)[number]>; range: Range };
export type Order = { by: 'startMs' | 'host' | 'status' | 'requestBytes' | 'responseBytes' | 'durationMs'; isDown: boolean };

/** The indices of the requests that pass, in the order asked for. */
export function filterRequests(table: RequestTable, filter: Filter, order: Order): number[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  // A text is looked at once for each word, however many requests have it.
  const found = words.map((word) => table.texts.map((text) => text.toLowerCase().includes(word)));
  const columns = [table.host, table.path, table.method, table.protocol, table.rule, table.reason, table.secrets];
  const indices: number[] = [];
  for (let index = 0; index < table.startMs.length; index++) {
    if (filter.host !== null && table.host[index] !== filter.host) continue;
    if (filter.method !== null && table.method[index] !== filter.method) continue;
    if (!filter.decisions.has(DECISIONS[table.decision[index]!]!)) continue;
    if (filter.range !== null && !overlaps(table, index, filter.range)) continue;
    if (!words.every((word, at) => String(table.status[index]) === word || columns.some((column) => found[at]![column[index]!]))) continue;
    indices.push(index);
  }
  if (order.by === 'startMs') return order.isDown ? indices.reverse() : indices;
  const column = table[order.by];
  const value = (index: number) => (order.by === 'host' ? table.texts[column[index]!] ?? '' : column[index]!);
  return indices.sort((a, b) => compare(value(a), value(b)) * (order.isDown ? -1 : 1) || a - b);
}

/** Whether any of it lies in the range. */
function overlaps({ startMs, durationMs }: RequestTable, index: number, { from, to }: NonNullable<Range>): boolean {
  return startMs[index]! <= to * 1000 && startMs[index]! + durationMs[index]! >= from * 1000;
}
