import type { BlockedGroup, HostUsage, Report } from './report.ts';
import { exposedRows } from './exposed-rows.ts';
import { limitRows } from './limit-rows.ts';
import { observeNotes } from './observe-notes.ts';
import { printable, printableSentence } from './printable.ts';
import { renderBar } from './render-bar.ts';
import { renderCanary } from './render-canary.ts';
import { renderBytes, renderCount, renderNumber, renderSeconds } from './quantities.ts';
import { renderVerdict } from './render-verdict.ts';
import { serviceRows, type ServiceRow } from './service-rows.ts';
import { writtenClause } from './written-clause.ts';
import { wrapText } from './wrap-text.ts';

/** `columns` is kept within 80 and 100; 80 by default. */
export type TerminalOptions = { colour: boolean; columns?: number };

const MAX_ROWS = 10;
const BAR_WIDTH = 10;
const INDENT = '  ';

/**
 * The closing summary. Every line begins with a word or a mark of Decoy's own: GitHub's runner obeys `::commands` at the start of
 * a line, leading spaces not counted. https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function renderTerminal(report: Report, options: TerminalOptions): string {
  const columns = Math.min(Math.max(options.columns ?? 80, 80), 100);
  const paint = options.colour ? colours : plain;
  const sections = [
    observeLines(report, { columns, paint }),
    verdictLines(report, { columns, paint }),
    limitLines(report, paint),
    serviceLines(report, columns),
    networkLines(report, columns),
    exposedLines(report, columns),
    secretLines(report, columns),
    groupLines('Blocked', report.blocked, { columns, paint }),
    groupLines('Would have been blocked', report.observed ?? [], { columns, paint }),
    groupLines('Failed', report.failed ?? [], { columns, paint }),
    changeLines(report),
    proposalLines(report),
  ];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Paint = Record<'good' | 'bad' | 'faint', (text: string) => string>;
const plain: Paint = { good: (text) => text, bad: (text) => text, faint: (text) => text };
const colours: Paint = {
  good: (text) => `\x1b[1;32m${text}\x1b[0m`,
  bad: (text) => `\x1b[1;31m${text}\x1b[0m`,
  faint: (text) => `\x1b[2m${text}\x1b[0m`,
};
type Look = { columns: number; paint: Paint };

function observeLines(report: Report, { columns, paint }: Look): string[] {
  const notes = observeNotes(report);
  if (notes === null) return [];
  return [paint.bad(`Decoy: ${notes.heading}`), ...wrapText(notes.warning, columns - 4).map((line) => `${INDENT}> ${line}`)];
}

/** Without a mark before each line: it is there to be copied. A rule begins with a method, a host or `tcp:`. */
function proposalLines(report: Report): string[] {
  const notes = observeNotes(report);
  return notes === null ? [] : ['Proposed: what this run asked for, and nothing else', ...notes.proposal];
}

function verdictLines(report: Report, { columns, paint }: Look): string[] {
  const word = (report.conclusion === 'success' ? paint.good : paint.bad)(report.conclusion);
  const summary = `exit ${report.exitCode} after ${renderSeconds(report.wallSeconds)} in ${printable(report.image, columns - 50)}`;
  const sentences = [renderVerdict(report), renderCanary(report)].filter((sentence) => sentence !== '');
  // In one piece, whatever its length: it is there to be copied.
  const digest = report.imageDigest === undefined ? [] : [`${INDENT}- ${printable(report.imageDigest, 400)}`];
  return [`Decoy: ${word}, ${summary}`, ...digest, ...sentences.flatMap((sentence) => wrapText(sentence, columns - 4)).map((line) => `${INDENT}> ${line}`)];
}

function limitLines(report: Report, paint: Paint): string[] {
  const rows = limitRows(report);
  const usedWidth = Math.max(...rows.map(({ used }) => used.length));
  return [
    'Limits',
    ...rows.map(({ name, used, limit, share, note }) => {
      const percent = `${Math.round(Math.min(Math.max(share, 0), 9.99) * 100)} %`.padStart(5);
      const bar = share >= 0.9 ? paint.bad(renderBar(share, BAR_WIDTH)) : renderBar(share, BAR_WIDTH);
      return `${INDENT}${name.padEnd(8)} ${used.padStart(usedWidth)}  ${bar} ${percent} of ${limit}${note === '' ? '' : `, ${note}`}`;
    }),
  ];
}

function serviceLines(report: Report, columns: number): string[] {
  const rows = serviceRows(report);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, MAX_ROWS);
  return ['Services', ...shown.flatMap((row) => oneService(row, columns)), ...moreLine(rows.length - shown.length, 'service')];
}

function oneService({ name, image, imageDigest, end, used }: ServiceRow, columns: number): string[] {
  const use = used === null ? ['no reading was taken'] : [`cpu ${used.cpu}; memory ${used.memory}`, `storage ${used.storage}; pids ${used.pids}`];
  return [
    ...marked(`${printable(name, 64)} in ${printable(image, 255)}: ${end}`, columns),
    ...use.map((line) => `${INDENT}| ${line}`),
    // In one piece, as the run's own.
    ...(imageDigest === null ? [] : [`${INDENT}| ${printable(imageDigest, 400)}`]),
  ];
}

function exposedLines(report: Report, columns: number): string[] {
  const rows = exposedRows(report);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, MAX_ROWS);
  const lines = shown.flatMap(({ port, address, used }) => marked(`${port} at ${printable(address, 255)}: ${used}`, columns));
  return ['Exposed ports', ...lines, ...moreLine(rows.length - shown.length, 'port')];
}

function networkLines({ usage: { network } }: Report, columns: number): string[] {
  const bytes = `${renderBytes(network.requestBytes)} out, ${renderBytes(network.responseBytes)} in`;
  const heading = `Network: ${renderCount(network.requests, 'request')}, ${renderNumber(network.blocked)} blocked, ${bytes}`;
  const shown = network.hosts.slice(0, MAX_ROWS);
  return [heading, ...shown.flatMap((host) => marked(hostSentence(host), columns)), ...moreLine(network.hosts.length - shown.length, 'host')];
}

function hostSentence(usage: HostUsage): string {
  const counts = [
    usage.requests > 0 ? renderCount(usage.requests, 'request') : '',
    usage.blocked > 0 ? `${renderNumber(usage.blocked)} blocked` : '',
    usage.requests > 0 ? `${renderBytes(usage.requestBytes)} out, ${renderBytes(usage.responseBytes)} in` : '',
  ].filter((count) => count !== '').join(', ');
  return `${printable(usage.host, 255)}: ${counts}`;
}

function secretLines({ secrets }: Report, columns: number): string[] {
  if (secrets.length === 0) return [];
  const shown = secrets.slice(0, MAX_ROWS);
  const lines = shown.flatMap(({ name, hosts, substitutions, scrubs, refusals }) => {
    const counts = `substituted ${renderNumber(substitutions)}, scrubbed ${renderNumber(scrubs)}, refused ${renderNumber(refusals)}`;
    return marked(`${printable(name, 64)} for ${printable(hosts.join(', '), 200)}: ${counts}`, columns);
  });
  return ['Secrets', ...lines, ...moreLine(secrets.length - shown.length, 'secret')];
}

function groupLines(heading: string, groups: readonly BlockedGroup[], { columns, paint }: Look): string[] {
  if (groups.length === 0) return [];
  const shown = groups.slice(0, MAX_ROWS);
  const lines = shown.flatMap((group) => [
    ...marked(`${renderNumber(group.count)} x ${attempted(group)}: ${group.reason}`, columns),
    ...wrapText(printable(group.remedy, 1000), columns - 6).map((line) => paint.faint(`${INDENT}${INDENT}> ${line}`)),
  ]);
  return [heading, ...lines, ...moreLine(groups.length - shown.length, 'kind')];
}

/** Wraps untrusted text with a mark before each of its lines. */
function marked(text: string, columns: number): string[] {
  return wrapText(text, columns - 4).map((line, i) => `${INDENT}${i === 0 ? '-' : '|'} ${line}`);
}

function attempted({ host, port, method, path }: BlockedGroup): string {
  const place = `${printable(host, 255)}${port === null ? '' : `:${port}`}${printable(path ?? '', 200)}`;
  return method === null ? place : `${printable(method, 32)} ${place}`;
}

function changeLines({ changes }: Report): string[] {
  if (changes.problem !== undefined) return [`Changes: lost. ${printableSentence(changes.problem, 400)}`];
  const { leftOut = 0 } = changes;
  if (changes.files === 0 && leftOut === 0) return [];
  const rest = leftOut === 0 ? '' : `; ${renderNumber(leftOut)} more not in the patch`;
  return [`Changes: ${renderCount(changes.files, 'file')}, ${renderCount(changes.insertions, 'line')} added, ${renderNumber(changes.deletions)} removed${rest}${writtenClause(changes)}`];
}

function moreLine(count: number, noun: string): string[] {
  return count > 0 ? [`${INDENT}and ${renderNumber(count)} more ${noun}${count === 1 ? '' : 's'}: see report.json`] : [];
}
