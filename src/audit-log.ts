import fs from 'node:fs';
import { writeProblem } from './cli-result-files.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import { renderAuditLine } from './report/render-audit-line.ts';

/** `add` throws where the entry could not be written: nothing may go on without its record. */
export type AuditLog = { add(entry: AuditEntry): void; close(): void };

/** Past this the log says once that it ends here: a sandbox that floods it must not fill the host's disk. */
const MAX_BYTES = 100 * 2 ** 20;

/** Opens the audit log: JSON lines, written as requests end, so that it is there after any end of this process. */
export function openAuditLog(file: string | undefined): AuditLog {
  if (file === undefined) return { add() {}, close() {} };
  const descriptor = fs.openSync(file, 'w', 0o644);
  let written = 0;
  let broken = false;
  return {
    add(entry) {
      if (broken || written > MAX_BYTES) return;
      const line = `${renderAuditLine(entry).trimEnd()}\n`;
      written += Buffer.byteLength(line);
      broken = true;
      writeWhole(descriptor, { text: written > MAX_BYTES ? `${JSON.stringify({ truncated: `the log ends here at ${MAX_BYTES} bytes` })}\n` : line, file });
      broken = false;
    },
    close: () => fs.closeSync(descriptor),
  };
}

/** A disk that is almost full takes a part, and an error comes with the rest. */
function writeWhole(descriptor: number, { text, file }: { text: string; file: string }): void {
  try {
    let rest = Buffer.from(text);
    while (rest.length > 0) rest = rest.subarray(fs.writeSync(descriptor, rest));
  } catch (error) {
    throw new Error(`the audit log could not be written, so the run was ended: ${writeProblem(file, error)}`);
  }
}
