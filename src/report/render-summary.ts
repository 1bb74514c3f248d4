import type { BlockedGroup, Report } from './report.ts';
import { exposedRows } from './exposed-rows.ts';
import { limitRows } from './limit-rows.ts';
import { markdownCode } from './markdown-code.ts';
import { observeNotes } from './observe-notes.ts';
import { printable } from './printable.ts';
import { renderAllowBlock } from './render-allow-block.ts';
import { renderBar } from './render-bar.ts';
import { renderCanary } from './render-canary.ts';
import { renderBytes, renderNumber, renderSeconds } from './quantities.ts';
import { renderVerdict } from './render-verdict.ts';
import { serviceRows } from './service-rows.ts';
import { timelineSection } from './timeline-section.ts';
import { writtenClause } from './written-clause.ts';

const MAX_ROWS = 50;
/** GitHub drops a step's summary above 1 MiB: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands */
const MAX_BYTES = 1_000_000;
const BAR_WIDTH = 10;
const STAT_WIDTH = 20;

/** What of the run's result is not in its report: files by the lines that changed, and the rules that would have allowed what was blocked. */
export type SummaryOptions = { changedFiles?: readonly ChangedFile[]; proposedAllow?: readonly string[] };

export type ChangedFile = { path: string; status: 'M' | 'A' | 'D' | 'R'; from?: string; insertions: number; deletions: number };

/**
 * The job summary, in GitHub Markdown. Every text that a sandbox may have chosen stands in a code span or a fenced block, where Markdown,
 * HTML, links, images and @mentions mean nothing (GitHub Flavored Markdown 4.5, 6.3).
 */
export function renderSummary(report: Report, { changedFiles = [], proposedAllow = [] }: SummaryOptions = {}): string {
  const notes = observeNotes(report);
  return cutAtLine(
    [
      `### Decoy: ${report.conclusion}${notes === null ? '' : `, ${notes.heading}`}`,
      '',
      ...(notes === null ? [] : ['> [!WARNING]', `> ${notes.warning}`, '']),
      verdict(report),
      ...problemList(report),
      '',
      `Exit code ${report.exitCode}${placeClause(report)}.${canarySentence(report)}${changesSentence(report)}`,
      ...(notes === null ? [] : ['', '#### Proposed', '', 'What this run asked for, and nothing else:', '', '```yaml', ...notes.proposal, '```']),
      ...limitsTable(report),
      ...groupTable('Blocked', report.blocked),
      ...groupTable('Would have been blocked', report.observed ?? []),
      ...(notes === null ? proposedSection(proposedAllow) : []),
      ...groupTable('Failed', report.failed ?? []),
      ...secretsTable(report),
      ...hostsTable(report),
      ...servicesTable(report),
      ...exposedTable(report),
      ...filesTable(report, changedFiles),
      ...timelineSection(report),
      '',
    ],
    MAX_BYTES,
  );
}

/** Ready to be pasted. Each line was checked to parse as a rule; the fence is longer than any row of backticks in them all the same. */
function proposedSection(proposedAllow: readonly string[]): string[] {
  if (proposedAllow.length === 0) return [];
  const rules = proposedAllow.slice(0, MAX_ROWS).map((rule) => printable(rule, 600));
  const fence = '`'.repeat(Math.max(3, ...rules.flatMap((rule) => [...rule.matchAll(/`+/g)].map(([run]) => run.length + 1))));
  const more = proposedAllow.length - rules.length;
  return [
    '', 'Where these attempts are meant, this allows them:', '', `${fence}yaml`, ...renderAllowBlock(rules), fence,
    ...(more > 0 ? ['', `${renderNumber(more)} more in the output proposed-allow.`] : []),
  ];
}

const FILE_STATUS = { M: 'changed', A: 'added', D: 'deleted', R: 'renamed' } as const;

/** The files with the most changed lines first. */
function filesTable({ changes }: Report, changedFiles: readonly ChangedFile[]): string[] {
  const linesOf = ({ insertions, deletions }: ChangedFile) => insertions + deletions;
  const inOrder = changedFiles.toSorted((a, b) => linesOf(b) - linesOf(a));
  const most = Math.max(1, ...inOrder.slice(0, 1).map(linesOf));
  const rows = inOrder.slice(0, MAX_ROWS).map((file) => [
    `${markdownCode(file.path, 300)}${file.from === undefined ? '' : ` from ${markdownCode(file.from, 300)}`}`,
    FILE_STATUS[file.status], `+${renderNumber(file.insertions)}`, `-${renderNumber(file.deletions)}`, stat(file, most),
  ]);
  return table('Files', { columns: ['file', '', '>added', '>removed', ''], rows, of: Math.max(changes.files, changedFiles.length) });
}

/** `+` and `-` by their share of the longest row, as git does it. */
function stat({ insertions, deletions }: ChangedFile, most: number): string {
  const width = Math.ceil(((insertions + deletions) / most) * STAT_WIDTH);
  const plus = insertions === 0 ? 0 : Math.min(Math.max(Math.round((insertions / (insertions + deletions)) * width), 1), deletions === 0 ? width : Math.max(width - 1, 1));
  return width === 0 ? '' : `\`${'+'.repeat(plus)}${'-'.repeat(Math.max(width - plus, deletions > 0 ? 1 : 0))}\``;
}

/** Only the sentence of an error quotes anything; the others are Decoy's own words and numbers. */
function verdict(report: Report): string {
  return report.conclusion === 'error' && report.problems === undefined ? markdownCode(renderVerdict(report), 1000) : renderVerdict(report);
}

function problemList({ problems = [] }: Report): string[] {
  if (problems.length === 0) return [];
  const more = problems.length - MAX_ROWS;
  return ['', ...problems.slice(0, MAX_ROWS).map((problem) => `- ${markdownCode(problem, 1000)}`), ...(more > 0 ? ['', `${renderNumber(more)} more in report.json.`] : [])];
}

/** Where nothing is known to have been started, neither time nor image is anything's. */
function placeClause(report: Report): string {
  return isOfARun(report) ? ` after ${renderSeconds(report.wallSeconds)} in ${markdownCode(report.image, 200)}${digestNote(report)}` : '';
}

function isOfARun({ limits }: Report): boolean {
  return limits.wallSeconds > 0;
}

function digestNote({ imageDigest }: { imageDigest?: string | null }): string {
  return imageDigest == null ? '' : ` (${markdownCode(imageDigest, 400)})`;
}

function canarySentence(report: Report): string {
  const sentence = renderCanary(report);
  return sentence === '' ? '' : ` ${sentence}`;
}

function changesSentence({ changes }: Report): string {
  const { files, insertions, deletions, leftOut = 0, problem } = changes;
  if (problem !== undefined) return ` **Changes lost:** ${markdownCode(problem, 400)}`;
  const rest = leftOut === 0 ? '' : ` ${renderNumber(leftOut)} changed paths are not in the patch.`;
  return files === 0 ? rest : ` Files changed: ${renderNumber(files)}; lines added: ${renderNumber(insertions)}, removed: ${renderNumber(deletions)}${writtenClause(changes)}.${rest}`;
}

function limitsTable(report: Report): string[] {
  if (!isOfARun(report)) return [];
  const rows = limitRows(report).map(({ name, used, limit, share, note }) => [name, used, renderBar(share, BAR_WIDTH), limit, note]);
  return table('Limits', { columns: ['limit', '>used', '', '>of', ''], rows });
}

function hostsTable({ usage: { network } }: Report): string[] {
  const rows = network.hosts.map((host) => [
    markdownCode(host.host, 255),
    renderNumber(host.requests), renderNumber(host.blocked), renderBytes(host.requestBytes), renderBytes(host.responseBytes),
    renderNumber(host.substitutions), renderNumber(host.scrubs),
  ]);
  const total = ['all', renderNumber(network.requests), renderNumber(network.blocked), renderBytes(network.requestBytes), renderBytes(network.responseBytes), '', ''];
  const columns = ['host', '>requests', '>blocked', '>sent', '>received', '>substitutions', '>scrubs'];
  return table('Network', { columns, rows, last: total });
}

function servicesTable(report: Report): string[] {
  const rows = serviceRows(report).map(({ name, image, imageDigest, end, used }) => [
    markdownCode(name, 64), `${markdownCode(image, 200)}${digestNote({ imageDigest })}`, end, used?.cpu ?? '–', used?.memory ?? '–', used?.storage ?? '–', used?.pids ?? '–',
  ]);
  return table('Services', { columns: ['service', 'image', 'how it ended', '>cpu', '>memory', '>storage', '>pids'], rows });
}

function exposedTable(report: Report): string[] {
  const rows = exposedRows(report).map(({ port, address, used }) => [String(port), markdownCode(address, 255), used]);
  return table('Exposed ports', { columns: ['>port of the sandbox', 'on the host', 'used'], rows });
}

function groupTable(heading: string, groups: readonly BlockedGroup[]): string[] {
  const rows = groups.map((group) => [
    renderNumber(group.count), markdownCode(attempted(group), 400), markdownCode(group.reason, 40), markdownCode(group.remedy, 1000),
  ]);
  return table(heading, { columns: ['>count', 'attempt', 'reason', 'remedy'], rows });
}

function attempted({ host, port, method, path }: BlockedGroup): string {
  return `${method === null ? '' : `${method} `}${host}${port === null ? '' : `:${port}`}${path ?? ''}`;
}

function secretsTable({ secrets }: Report): string[] {
  const rows = secrets.map(({ name, hosts, substitutions, scrubs, refusals }) => [
    markdownCode(name, 100), markdownCode(hosts.join(', '), 300), renderNumber(substitutions), renderNumber(scrubs), renderNumber(refusals),
  ]);
  return table('Secrets', { columns: ['secret', 'hosts', '>substitutions', '>scrubs', '>refusals'], rows });
}

/** A heading and a table of at most 50 rows of the `of` there are; nothing where there is no row. A column's `>` aligns it to the right. */
function table(heading: string, content: { columns: string[]; rows: string[][]; last?: string[]; of?: number }): string[] {
  const { columns, rows, last, of = rows.length } = content;
  if (rows.length === 0) return [];
  const more = of - Math.min(rows.length, MAX_ROWS);
  return [
    '',
    `#### ${heading}`,
    '',
    line(columns.map((column) => column.replace(/^>/, ''))),
    line(columns.map((column) => (column.startsWith('>') ? '---:' : '---'))),
    ...rows.slice(0, MAX_ROWS).map(line),
    ...(last ? [line(last)] : []),
    ...(more > 0 ? ['', `${renderNumber(more)} more${heading === 'Files' ? ' in the patch' : ' in report.json'}.`] : []),
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Joins as many whole lines as fit. */
function cutAtLine(lines: readonly string[], maxBytes: number): string {
  const encoder = new TextEncoder();
  const note = '\nThe rest is in report.json.\n';
  let bytes = note.length;
  const fitting: string[] = [];
  for (const text of lines) {
    bytes += encoder.encode(text).length + 1;
    if (bytes > maxBytes) return `${fitting.join('\n')}\n${note}`;
    fitting.push(text);
  }
  return fitting.join('\n');
}
