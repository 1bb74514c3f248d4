import fs from 'node:fs';
import { quote } from './policy/quote.ts';
import { createAskedRequests, type AskedEntry, type AskedRequest } from './report/asked-requests.ts';
import { isRecord } from './is-record.ts';

export type ReadRequests = { requests: AskedRequest[]; warnings: string[]; problems: string[] };

/** An audit log has at most 100 MiB. */
const MAX_BYTES = 128 * 2 ** 20;

/** What a run asked for, of its report.json or its audit log; a problem or a warning is one sentence with the file. */
export function readRequests(file: string): ReadRequests {
  const text = readText(file);
  if (typeof text !== 'string') return { requests: [], warnings: [], problems: [text.problem] };
  const whole = parseJson(text);
  return isRecord(whole) && 'version' in whole ? requestsOfReport(whole, file) : requestsOfLog(text, file);
}

function readText(file: string): string | { problem: string } {
  try {
    if (fs.statSync(file).size > MAX_BYTES) return { problem: `${quote(file)} is larger than an audit log can be: give a report.json or an audit log of Decoy's` };
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    return { problem: `cannot read ${quote(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a report.json or an audit log` };
  }
}

function requestsOfReport({ version, requests }: Record<string, unknown>, file: string): ReadRequests {
  if (version !== 1 || !Array.isArray(requests) || !requests.every(isRequest)) {
    return { requests: [], warnings: [], problems: [`${quote(file)} is not a report that lists requests: give one that this version of Decoy wrote, or the audit log of the run`] };
  }
  return { requests: requests.map(({ protocol, host, port, method, path, count }) => ({ protocol, host, port, method, path, count })), warnings: [], problems: [] };
}

function requestsOfLog(text: string, file: string): ReadRequests {
  const asked = createAskedRequests();
  const warnings: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = parseJson(line);
    if (isRecord(entry) && typeof entry['truncated'] === 'string') warnings.push(`${quote(file)} does not have the whole run: ${quote(entry['truncated'])}`);
    else if (isEntry(entry)) asked.add(entry);
    else return { requests: [], warnings: [], problems: [`${quote(file)}, line ${index + 1}, is neither a report nor an entry of an audit log: give files that Decoy wrote`] };
  }
  return { requests: asked.list(), warnings, problems: [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown) => typeof value === 'string';
const isTextOrNull = (value: unknown) => value === null || isText(value);
const isPort = (value: unknown) => value === null || (Number.isInteger(value) && (value as number) > 0 && (value as number) <= 65_535);

function isRequest(value: unknown): value is AskedRequest {
  return isRecord(value) && ['https', 'http', 'tcp', 'dns'].includes(value['protocol'] as string) && isText(value['host']) && isPort(value['port'])
    && isTextOrNull(value['method']) && (value['path'] === null || (isText(value['path']) && (value['path'] as string).startsWith('/'))) && Number.isSafeInteger(value['count']);
}

function isEntry(value: unknown): value is AskedEntry {
  return isRecord(value) && ['https', 'http', 'tls', 'tcp', 'dns'].includes(value['protocol'] as string) && isText(value['host']) && isPort(value['port'])
    && Array.isArray(value['secrets']) && value['secrets'].every((use) => isRecord(use) && Number.isSafeInteger(use['refusals']))
    && isTextOrNull(value['method']) && isTextOrNull(value['path']) && ['allowed', 'blocked', 'failed'].includes(value['decision'] as string) && isTextOrNull(value['reason']);
}
