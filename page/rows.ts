import { DECISIONS, type RequestTable } from '../src/report-page/page-data.ts';

/** One request of the table, by its index. */
export type Row = {
  index: number; startMs: number; durationMs: number; decision: (typeof DECISIONS)[number]; protocol: string; method: string; host: string; port: number;
  path: string; rule: string; reason: string; status: number; requestBytes: number; responseBytes: number; secrets: string;
};

/** Made when it is needed: of 50,000 requests some thirty are in view. */
export function rowAt(table: RequestTable, index: number): Row {
  const text = (column: readonly number[]) => table.texts[column[index]!] ?? '';
  return {
    index, startMs: table.startMs[index]!, durationMs: table.durationMs[index]!, decision: DECISIONS[table.decision[index]!]!,
    protocol: text(table.protocol), method: text(table.method), host: text(table.host), port: table.port[index]!, path: text(table.path),
    rule: text(table.rule), reason: text(table.reason), status: table.status[index]!,
    requestBytes: table.requestBytes[index]!, responseBytes: table.responseBytes[index]!, secrets: text(table.secrets),
  };
}

/** `host`, with the port where it is not the usual one. */
export function authority({ host, port, protocol }: Row): string {
  const isUsual = port === 0 || (protocol === 'https' && port === 443) || (protocol === 'http' && port === 80);
  return isUsual ? host : `${host}:${port}`;
}
