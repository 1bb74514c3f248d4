import fs from 'node:fs';
import type { Report } from './report/report.ts';
import { createRequestLog, type RequestLog } from './report-page/request-log.ts';

/** Reads an audit log by the line, in pieces: it may be as long as its bound of 100 MB. Throws what the file system does. */
export function readRequestLog(file: string, report: Report): RequestLog {
  const log = createRequestLog({ zeroMs: Date.parse(report.commandStartedAt ?? report.startedAt) });
  const descriptor = fs.openSync(file, 'r');
  try {
    const piece = Buffer.alloc(1 << 20);
    let rest = Buffer.alloc(0);
    for (let length = 0; (length = fs.readSync(descriptor, piece)) > 0;) {
      const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
      const end = bytes.lastIndexOf(10) + 1;
      if (end > 0) for (const line of bytes.toString('utf8', 0, end).split('\n')) log.add(line);
      // No line of an audit log is longer than 32 KiB: what is, is none.
      rest = bytes.length - end > MAX_LINE ? Buffer.from('?') : Buffer.from(bytes.subarray(end));
    }
    log.add(rest.toString());
    return log;
  } finally {
    fs.closeSync(descriptor);
  }
}

const MAX_LINE = 1 << 20;
