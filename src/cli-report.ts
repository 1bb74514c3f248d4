import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArguments } from './cli-arguments.ts';
import { fail } from './cli-fail.ts';
import { fileIdentity, writeProblem } from './cli-result-files.ts';
import { printUsage } from './cli-usage.ts';
import { warn } from './cli-warn.ts';
import { readPageAssets } from './page-assets.ts';
import { quote } from './policy/quote.ts';
import { printableSentence } from './report/printable.ts';
import type { Report } from './report/report.ts';
import { parseReport } from './report-page/parse-report.ts';
import { renderPage } from './report-page/render-page.ts';
import { readRequestLog } from './read-request-log.ts';

const OPTIONS = { output: { takes: 'one', example: 'report.html' }, patch: { takes: 'one', example: 'changes.patch' }, open: { takes: 'nothing' } } as const;
/** A report of Decoy's has some 2 MB at most. */
const MAX_REPORT_BYTES = 64 * 2 ** 20;

/** `decoy report report.json [audit.jsonl] [--patch FILE] [--output FILE] [--open]`: writes the report as one HTML file, by default beside report.json. */
export function reportCommand(args: string[], { distDirectory }: { distDirectory: string }): number {
  const { help, values, words, command, problems } = parseArguments(args, { verb: 'report', options: OPTIONS });
  if (help) return printUsage('report');
  const [reportFile, logFile, ...rest] = [...words, ...command ?? []];
  const patchFile = values.patch?.[0];
  if (reportFile === undefined) problems.push('no report: write `decoy report report.json audit.jsonl`');
  if (rest.length > 0) problems.push(`${quote(rest[0]!)} is one file too many: write \`decoy report report.json audit.jsonl\`, and the patch as \`--patch FILE\``);
  const report = reportFile === undefined ? null : attempt(reportFile, problems, () => readReport(reportFile, problems));
  const log = logFile === undefined || report === null ? null : attempt(logFile, problems, () => readRequestLog(logFile, report));
  const patch = patchFile === undefined ? null : attempt(patchFile, problems, () => fs.readFileSync(patchFile));
  const output = values.output?.[0] ?? (reportFile === undefined ? '' : path.join(path.dirname(reportFile), `${path.basename(reportFile, '.json')}.html`));
  const inputs = [reportFile, logFile, patchFile].filter((file) => file !== undefined);
  const taken = inputs.find((file) => fileIdentity(file) !== null && fileIdentity(file) === fileIdentity(output));
  if (taken !== undefined) problems.push(`--output: ${quote(output)} is a file that is read: write another path`);
  if (problems.length > 0 || report === null) return fail(problems);
  try {
    fs.writeFileSync(output, renderPage({ report, log, patch }, readPageAssets(distDirectory)));
  } catch (error) {
    return fail([writeProblem(output, error)]);
  }
  process.stdout.write(`${printableSentence(path.resolve(output), 4096)}\n`);
  if (values.open !== undefined) openPage(path.resolve(output));
  return 0;
}

function readReport(file: string, problems: string[]): Report | null {
  if (fs.statSync(file).size > MAX_REPORT_BYTES) {
    problems.push(`${quote(file)} is larger than a report can be (${MAX_REPORT_BYTES >> 20} MiB): give the report.json of a run`);
    return null;
  }
  const parsed = parseReport(fs.readFileSync(file, 'utf8'));
  if (parsed.ok) return parsed.report;
  problems.push(`${quote(file)} ${parsed.problem}`);
  return null;
}

function attempt<Value>(file: string, problems: string[], read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    problems.push(`cannot read ${quote(file)} (${(error as NodeJS.ErrnoException).code}): give the path of a readable file`);
    return null;
  }
}

/** With the desktop's own program; where there is none, the path that was printed is enough. */
function openPage(file: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [file], { stdio: 'ignore', detached: true });
  child.on('error', () => warn(`\`${program}\` could not be started: open the file in a browser yourself`));
  child.unref();
}
