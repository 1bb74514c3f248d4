import type { AuditEntry } from './audit-entry.ts';

const MAX_LENGTH = { protocol: 16, method: 32, host: 255, path: 1024, rule: 512, secretName: 64 };
const MAX_SECRETS = 32;

/**
 * One line of the audit log, line break included: JSON in printable ASCII, so that showing the log on a terminal can neither
 * run an escape sequence nor reorder a line, and at most 32 KiB long whatever was asked for. The remedy is the report's.
 */
export function renderAuditLine(entry: AuditEntry): string {
  const line = JSON.stringify({
    time: entry.time,
    id: entry.id,
    protocol: entry.protocol,
    method: cut(entry.method, MAX_LENGTH.method),
    host: cut(entry.host, MAX_LENGTH.host),
    port: entry.port,
    // Query values never reach the log, even if an entry should hold one.
    path: cut(entry.path?.slice(0, MAX_LENGTH.path + 1).replace(/[?#].*$/s, '') ?? null, MAX_LENGTH.path),
    decision: entry.decision,
    rule: cut(entry.rule, MAX_LENGTH.rule),
    reason: entry.reason,
    status: entry.status,
    requestBytes: entry.requestBytes,
    responseBytes: entry.responseBytes,
    durationMs: entry.durationMs,
    secrets: entry.secrets.slice(0, MAX_SECRETS).map(({ name, substitutions, scrubs, refusals }) => ({
      name: cut(name, MAX_LENGTH.secretName), substitutions, scrubs, refusals,
    })),
  });
  return `${escapeBeyondAscii(line)}\n`;
}

function cut(text: string | null, maxLength: number): string | null {
  return text === null || text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`;
}

/** JSON.stringify escapes C0 controls only; DEL, C1 controls, bidirectional marks and the like are left to us. */
function escapeBeyondAscii(json: string): string {
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
