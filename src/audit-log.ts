import fs from 'node:fs';
import type { AuditEntry } from './report/audit-entry.ts';
import { renderAuditLine } from './report/render-audit-line.ts';

export type AuditLog = { add(entry: AuditEntry): void; close(): void };

/** Past this the log says once that it ends here: a sandbox that floods it must not fill the host's disk. */
const MAX_BYTES = 100 * 2 ** 20;

/** Opens the audit log: JSON lines, written as requests end, so that it is there after any end of this process. */
export function openAuditLog(file: string | undefined): AuditLog {
  if (file === undefined) return { add() {}, close() {} };
  const descriptor = fs.openSync(file, 'w', 0o644);
  let written = 0;
  return {
    add(entry) {
      if (written > MAX_BYTES) return;
      const line = `${renderAuditLine(entry).trimEnd()}\n`;
      written += Buffer.byteLength(line);
      fs.writeSync(descriptor, written > MAX_BYTES ? `${JSON.stringify({ truncated: `the log ends here at ${MAX_BYTES} bytes` })}\n` : line);
    },
    close: () => fs.closeSync(descriptor),
  };
}
