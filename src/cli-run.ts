import os from 'node:os';
import { openAuditLog } from './audit-log.ts';
import { cancelOnSignals } from './cancel-on-signals.ts';
import { fail } from './cli-fail.ts';
import { parseRunArguments, type RunArguments } from './cli-options.ts';
import { openResultFiles, writeResultFile } from './cli-result-files.ts';
import { printUsage } from './cli-usage.ts';
import { openTerminal } from './cli-terminal.ts';
import { progressLine, warningLine } from './cli-warn.ts';
import { currentDirectory } from './current-directory.ts';
import { forgetEnvironment } from './forget-environment.ts';
import { describeExposed } from './expose/describe-exposed.ts';
import type { Exposed } from './expose/expose-request.ts';
import { describeHost } from './host.ts';
import { parseInputs } from './inputs/parse-inputs.ts';
import { loadPolicy } from './inputs/policy/load-policy.ts';
import { parseSecretOptions } from './inputs/parse-secrets.ts';
import { secretMasks } from './inputs/secret-masks.ts';
import { openOutput, type OutputMode } from './output.ts';
import { isReadByStarter } from './read-by-starter.ts';
import type { AuditEntry } from './report/audit-entry.ts';
import { wantsColour } from './terminal/look.ts';
import { tuneOnceStarted } from './tune-process.ts';
import { timeStages, type StageTiming } from './usage/time-stages.ts';
import { writeErrorReport } from './write-error-report.ts';

/** `decoy run [options] -- COMMAND…`: the exit code is the command's own, unless Decoy has to say something else. */
export async function runCommand(args: string[], { distDirectory }: { distDirectory: string }): Promise<number> {
  const beganMs = performance.now();
  const options = parseRunArguments(args);
  if (options.help) return printUsage('run');
  const workspacePath = currentDirectory();
  const policy = await loadPolicy(options.raw.policy, { workspacePath, environment: process.env });
  const secrets = parseSecretOptions(options.secretOptions, process.env, policy.bindings);
  // Read once: no child, no later code and no crash report finds them in this process's environment.
  forgetEnvironment(secrets.secrets.map(({ name }) => name));
  const host = describeHost(process.env, distDirectory);
  const inputs = parseInputs(options.raw, { secrets, policy, workspacePath, homePath: os.homedir(), host });
  const files = openResultFiles(options.files);
  const problems = [...options.problems, ...files.problems, ...(inputs.ok ? [] : inputs.problems)];
  if (!inputs.ok || problems.length > 0) {
    const exitCode = fail(problems);
    writeErrorReport(files.report, problems);
    return exitCode;
  }
  const cancellation = cancelOnSignals();
  const auditLog = openAuditLog(options.files['audit-log']);
  const mode = outputMode();
  if (mode === 'silence') for (const mask of secretMasks('', secrets.secrets)) process.stdout.write(`::add-mask::${mask.replaceAll('%', '%25')}\n`);
  const terminal = openTerminal({ limits: inputs.config.limits, quiet: options.quiet });
  inputs.warnings.forEach((text) => terminal.line(warningLine(text)));
  const output = openOutput({ stdout: process.stdout, stderr: process.stderr, mode, screen: terminal.screen });
  output.silence();
  const timings: StageTiming[] = [{ stage: 'loading Node and Decoy', fromMs: 0, toMs: beganMs }, { stage: 'options', fromMs: beganMs, toMs: performance.now() }];
  const onTiming = (timing: StageTiming) => void timings.push(timing);
  const onExposed = (exposed: readonly Exposed[]) => describeExposed(exposed, { file: inputs.config.expose?.file ?? null, isPublic: mode !== 'plain' }).forEach((text) => terminal.line(progressLine(text)));
  const page = options.files.html === undefined ? null : await openPage(distDirectory);
  const { run } = await timeStages(onTiming)('loading the run', () => import('./run.ts'));
  const result = await run({
    config: inputs.config,
    host,
    signal: cancellation.signal,
    events: tuneOnceStarted({
      onOutput: output.write, onEntry: page === null ? auditLog.add : (entry) => { auditLog.add(entry); page.add(entry); }, ...terminal.events,
      onWarning: (text) => terminal.line(warningLine(text)), onTiming, onExposed,
    }),
  }).finally(() => {
    terminal.close();
    output.release();
  });
  cancellation.stop();
  auditLog.close();
  if (options.timings) await printTimings(timings);
  const failures = [...await giveResults(options, result), ...page === null ? [] : writeResultFile('html', { file: options.files.html, content: page.make(result) })];
  const crash = cancellation.crash();
  if (crash !== null) failures.push(`internal error: ${crash.message}`);
  return failures.length > 0 ? fail(failures) : result.report.exitCode;
}

/** Collects what `--html` needs beside the report. */
async function openPage(distDirectory: string): Promise<{ add(entry: AuditEntry): void; make(result: Result): string }> {
  const [{ createRequestLog }, { renderPage }, { renderAuditLine }, { readPageAssets }] = await Promise.all([
    import('./report-page/request-log.ts'), import('./report-page/render-page.ts'), import('./report/render-audit-line.ts'), import('./page-assets.ts'),
  ]);
  const assets = readPageAssets(distDirectory);
  const log = createRequestLog({ zeroMs: Date.now() });
  return {
    // As the line of the log, which is cut and without what a log must not hold.
    add: (entry) => log.add(renderAuditLine(entry)),
    make: ({ report, patch }) => renderPage({ report, log, patch: patch?.bytes ?? null }, assets),
  };
}

/** Masks and the silence's token are for the runner's eyes only: in a file, the sandbox could read them. */
function outputMode(): OutputMode {
  if (process.env['GITHUB_ACTIONS'] !== 'true') return 'plain';
  return isReadByStarter(1) ? 'silence' : 'disarm';
}

async function printTimings(timings: readonly StageTiming[]): Promise<void> {
  const { renderTimings } = await import('./report/render-timings.ts');
  process.stderr.write(renderTimings(timings).map((line) => `decoy: ${line}\n`).join(''));
}

type Result = Awaited<ReturnType<typeof import('./run.ts').run>>;

/** Files and summary; what could not be written. */
async function giveResults({ files, quiet }: RunArguments, { report, patch, serviceLogs }: Result): Promise<string[]> {
  const problems = [
    ...writeResultFile('service-log', { file: files['service-log'], content: serviceLogs }),
    ...writeResultFile('patch', { file: files.patch, content: patch?.bytes ?? '' }),
    ...writeResultFile('report', { file: files.report, content: `${JSON.stringify(report, null, 2)}\n` }),
  ];
  if (quiet && report.conclusion === 'success' && report.mode !== 'observe') return problems;
  const { renderTerminal } = await import('./report/render-terminal.ts');
  const { columns } = process.stderr;
  process.stderr.write(`${renderTerminal(report, { colour: wantsColour(process.stderr, process.env), ...(columns > 0 ? { columns } : {}) })}\n`);
  return problems;
}
